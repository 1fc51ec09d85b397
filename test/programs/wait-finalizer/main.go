// A finalizer that blocks, and the runtime's finalizer goroutine within it.
package main

import (
	"runtime"

	"gocore.test/programs/internal/outside"
)

type handle struct {
	fd   int
	next *handle
}

//go:noinline
func open(fd int) {
	runtime.SetFinalizer(&handle{fd: fd}, func(h *handle) { <-make(chan int) })
}

func main() {
	open(3)
	runtime.GC()
	runtime.GC()
	outside.Settle()
	panic("look around")
}
