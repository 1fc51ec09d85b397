// A read of an address that no amd64 processor has: the fault comes without an address.
package main

import "unsafe"

//go:noinline
func peek(address uintptr) int32 { return **(**int32)(unsafe.Pointer(&address)) }

func main() {
	println(peek(0x1234_5678_0000_0000))
}
