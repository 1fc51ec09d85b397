// An allocation of 4 GB where the process may have 3.
package main

import "syscall"

//go:noinline
func reserve(bytes uint64) []byte { return make([]byte, bytes) }

func main() {
	limit := syscall.Rlimit{Cur: 3 << 30, Max: 3 << 30}
	if err := syscall.Setrlimit(syscall.RLIMIT_AS, &limit); err != nil {
		panic(err)
	}
	println(len(reserve(4 << 30)))
}
