// A panic with a struct, of which the runtime prints type and address only.
package main

type point struct{ x, y int }

//go:noinline
func at(x, y int) point { return point{x, y} }

func main() {
	panic(at(3, 4))
}
