// Goroutines blocked in system calls, each of which holds a thread, when SIGQUIT arrives.
package main

import (
	"syscall"

	"gocore.test/programs/internal/outside"
)

//go:noinline
func read(fd int) {
	var buffer [8]byte
	syscall.Read(fd, buffer[:])
}

func main() {
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		panic(err)
	}
	go read(ends[0])
	go read(ends[0])
	go func() {
		wait := syscall.Timespec{Sec: 3600}
		syscall.Nanosleep(&wait, nil)
	}()
	outside.Kill("SIGQUIT")
}
