// A panic with a complex number of a named type.
package main

type signal complex64

func main() {
	panic(signal(complex(1.5, -0.25)))
}
