// A read from a mapped file past its end: SIGBUS.
package main

import (
	"os"
	"syscall"
)

//go:noinline
func at(data []byte, i int) byte { return data[i] }

func main() {
	file, err := os.CreateTemp("", "bus")
	if err != nil {
		panic(err)
	}
	os.Remove(file.Name())
	data, err := syscall.Mmap(int(file.Fd()), 0, 8192, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	println(at(data, 5000))
}
