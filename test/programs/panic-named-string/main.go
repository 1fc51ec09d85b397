// A panic with a named string type.
package main

type reason string

func main() {
	panic(reason("out of \"paper\""))
}
