// Two reads of one file that blocks: the second waits for the first's lock, a bare semaphore.
package main

import (
	"os"
	"syscall"

	"gocore.test/programs/internal/outside"
)

func main() {
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		panic(err)
	}
	file := os.NewFile(uintptr(ends[0]), "pipe")
	for i := 0; i < 2; i++ {
		go func() {
			var buffer [8]byte
			file.Read(buffer[:])
		}()
	}
	outside.Settle()
	panic("look around")
}
