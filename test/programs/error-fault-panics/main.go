// A bad address under debug.SetPanicOnFault: a panic in place of a fatal error.
package main

import (
	"runtime/debug"
	"unsafe"
)

//go:noinline
func peek(address uintptr) int32 { return **(**int32)(unsafe.Pointer(&address)) }

func main() {
	debug.SetPanicOnFault(true)
	println(peek(0x7ead00001234))
}
