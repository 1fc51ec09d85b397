// Goroutines whose stacks grow and shrink all the time when one panics.
package main

import (
	"runtime"

	"gocore.test/programs/internal/outside"
)

//go:noinline
func deepen(n int) int {
	var pad [64]int
	pad[n%64] = n
	if n == 0 {
		return 0
	}
	return deepen(n-1) + pad[n%64]
}

func main() {
	for i := 0; i < 2; i++ {
		go func() {
			for {
				deepen(60)
				runtime.Gosched()
			}
		}()
	}
	outside.Settle()
	runtime.GC()
	panic("look around")
}
