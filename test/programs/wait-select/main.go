// Goroutines in select: several cases, nil channels only, no cases, one case.
package main

import (
	"time"

	"gocore.test/programs/internal/outside"
)

//go:noinline
func pump(in <-chan int, out chan<- int, stop <-chan struct{}) {
	for {
		select {
		case n := <-in:
			out <- n
		case out <- 0:
		case <-stop:
			return
		case <-time.After(time.Hour):
			return
		}
	}
}

func main() {
	go pump(make(chan int), make(chan int), make(chan struct{}))
	go pump(nil, nil, nil)
	go func() { select {} }()
	go func() {
		select {
		case <-make(chan int):
		}
	}()
	outside.Settle()
	panic("look around")
}
