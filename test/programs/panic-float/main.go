// A panic with a floating-point number.
package main

func main() {
	panic(6.02214076e23)
}
