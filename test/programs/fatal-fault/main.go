// A read of an address that belongs to nothing: an unexpected fault, which cannot be recovered.
package main

import "unsafe"

//go:noinline
func peek(address uintptr) int32 { return **(**int32)(unsafe.Pointer(&address)) }

func main() {
	println(peek(0x7ead00001234))
}
