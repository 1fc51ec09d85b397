// Goroutines that run on other threads, in loops that can be and cannot be preempted by a call, when one panics.
package main

import (
	"runtime"

	"gocore.test/programs/internal/outside"
)

var sink uint64

//go:noinline
func spin(seed uint64) {
	for {
		seed = seed*6364136223846793005 + 1442695040888963407
		if seed == 1 {
			sink++
		}
	}
}

func main() {
	runtime.GOMAXPROCS(4)
	go spin(3)
	go spin(4)
	outside.Settle()
	panic("look around")
}
