// A panic with a type of the program's own that is an integer underneath.
package main

type code uint16

func main() {
	panic(code(507))
}
