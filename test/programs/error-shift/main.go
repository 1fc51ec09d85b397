// A shift by a negative amount.
package main

//go:noinline
func scale(n, by int) int { return n << by }

func main() {
	scale(1, -3)
}
