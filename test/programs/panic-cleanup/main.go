//go:build go1.24

// A panic in a cleanup.
package main

import (
	"runtime"
	"time"
)

type handle struct{ name *string }

//go:noinline
func open(fd int) {
	name := "handle"
	runtime.AddCleanup(&handle{&name}, func(fd int) { panic("left open") }, fd)
}

func main() {
	open(3)
	for {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
}
