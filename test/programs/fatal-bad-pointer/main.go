// The garbage collector meets pointers into free spans and throws, on a system stack.
package main

import (
	"runtime"
	"unsafe"
)

type holder struct{ p *byte }

var keep [64]*holder

// freed gives addresses within large blocks that nothing refers to any more.
//
//go:noinline
func freed() (addresses [64]uintptr) {
	for i := range addresses {
		addresses[i] = uintptr(unsafe.Pointer(&make([]byte, 1<<20)[4096]))
	}
	return addresses
}

func main() {
	for i := range keep {
		keep[i] = &holder{}
	}
	addresses := freed()
	runtime.GC()
	runtime.GC()
	for i, address := range addresses {
		*(*uintptr)(unsafe.Pointer(&keep[i].p)) = address
	}
	runtime.GC()
	runtime.GC()
}
