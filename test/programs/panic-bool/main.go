// A panic with a bool.
package main

func main() {
	panic(true)
}
