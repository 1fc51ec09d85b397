// One processor and loops without calls, which are stopped by a signal in the middle.
package main

import (
	"runtime"
	"time"
)

//go:noinline
func loop(n uint64) uint64 {
	for i := uint64(0); ; i++ {
		n = n*31 + i
		if n == 1 {
			return n
		}
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	go loop(3)
	go loop(4)
	for i := 0; i < 4; i++ {
		time.Sleep(15 * time.Millisecond)
	}
	panic("look around")
}
