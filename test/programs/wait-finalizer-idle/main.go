// A finalizer that has run; its goroutine waits for more.
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
func open(fd int) { runtime.SetFinalizer(&handle{fd: fd}, func(h *handle) {}) }

func main() {
	open(3)
	runtime.GC()
	runtime.GC()
	outside.Settle()
	panic("look around")
}
