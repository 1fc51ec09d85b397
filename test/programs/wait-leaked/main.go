//go:build go1.27

// Goroutines that nothing can ever wake, found by the leak profile.
package main

import (
	"io"
	"runtime/pprof"
	"sync"

	"gocore.test/programs/internal/outside"
)

//go:noinline
func leak() {
	go func() { <-make(chan int) }()
	go func() {
		var mu sync.Mutex
		mu.Lock()
		mu.Lock()
	}()
	go func() {
		select {
		case <-make(chan int):
		case make(chan string) <- "":
		}
	}()
}

func main() {
	leak()
	outside.Settle()
	if profile := pprof.Lookup("goroutineleak"); profile != nil {
		profile.WriteTo(io.Discard, 0)
	}
	panic("look around")
}
