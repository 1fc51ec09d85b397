// The garbage collector meets a pointer into a free span and throws, on a system stack.
package main

import (
	"runtime"
	"unsafe"
)

type holder struct{ p *byte }

var keep [64]*holder

func main() {
	for i := range keep {
		keep[i] = &holder{}
	}
	big := make([]byte, 1<<20)
	address := uintptr(unsafe.Pointer(&big[4096]))
	big = nil
	runtime.GC()
	runtime.GC()
	for i := range keep {
		*(*uintptr)(unsafe.Pointer(&keep[i].p)) = address
	}
	runtime.GC()
	runtime.GC()
}
