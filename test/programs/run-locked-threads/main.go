// Goroutines locked to their threads: the main one and others, waiting and running, when SIGQUIT arrives.
package main

import (
	"runtime"
	"syscall"

	"gocore.test/programs/internal/outside"
)

func init() { runtime.LockOSThread() }

func main() {
	go func() {
		runtime.LockOSThread()
		<-make(chan int)
	}()
	go func() {
		runtime.LockOSThread()
		wait := syscall.Timespec{Sec: 3600}
		syscall.Nanosleep(&wait, nil)
	}()
	outside.Kill("SIGQUIT")
}
