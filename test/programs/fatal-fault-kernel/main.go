// A read of an address of the kernel's: more than 53 bits of it.
package main

import "unsafe"

//go:noinline
func peek(address uintptr) int32 { return **(**int32)(unsafe.Pointer(&address)) }

func main() {
	println(peek(0xffff800000001234))
}
