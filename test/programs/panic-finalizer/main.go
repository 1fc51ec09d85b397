// A panic in a finalizer, on the runtime's own goroutine.
package main

import (
	"runtime"
	"time"
)

type handle struct {
	fd   int
	next *handle
}

//go:noinline
func open(fd int) *handle {
	h := &handle{fd: fd}
	runtime.SetFinalizer(h, func(h *handle) { panic("handle was not closed") })
	return h
}

func main() {
	println(open(3).fd)
	for {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
}
