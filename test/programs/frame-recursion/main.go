// A stack of some 300 frames, of which the runtime prints the ends.
package main

import "gocore.test/programs/internal/outside"

//go:noinline
func down(n int, name string) int {
	if n == 0 {
		panic("ground")
	}
	return down(n-1, name) + len(name)
}

//go:noinline
func even(n int, stop chan int) int {
	if n == 0 {
		return <-stop
	}
	return odd(n-1, stop) + 1
}

//go:noinline
func odd(n int, stop chan int) int { return even(n-1, stop) + 1 }

func main() {
	for _, depth := range []int{46, 95, 98, 99, 100, 101, 102, 148, 150, 500} {
		go even(depth/2*2, make(chan int))
	}
	outside.Settle()
	down(300, "shaft")
}
