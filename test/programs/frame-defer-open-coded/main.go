// A goroutine that blocks within an open-coded deferred call, on a normal return and during a panic.
package main

import "gocore.test/programs/internal/outside"

//go:noinline
func leave(fail bool, a, b int) (sum int) {
	defer func() { <-make(chan int) }()
	defer func() { sum += a * b }()
	if fail {
		panic("leaving")
	}
	return a + b
}

func main() {
	go leave(false, 2, 3)
	go leave(true, 4, 5)
	outside.Kill("SIGQUIT")
}
