// A stack of a hundred thousand frames.
package main

//go:noinline
func down(n int) int {
	if n == 0 {
		panic("ground")
	}
	return down(n-1) + 1
}

func main() {
	down(100_000)
}
