//go:build go1.24

// A cleanup and a finalizer that block, and more that wait for them.
package main

import (
	"runtime"

	"gocore.test/programs/internal/outside"
)

type handle struct {
	fd   int
	name *string
}

//go:noinline
func open(fd int) {
	name := "handle"
	h := &handle{fd, &name}
	runtime.AddCleanup(h, func(fd int) { println("closing", fd); select {} }, fd)
	other := &handle{fd, &name}
	runtime.SetFinalizer(other, func(h *handle) { <-make(chan int) })
}

func main() {
	open(3)
	open(4)
	runtime.GC()
	runtime.GC()
	outside.Settle()
	panic("look around")
}
