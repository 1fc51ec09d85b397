// A panic in a goroutine that is locked to its thread, beside another locked one that waits.
package main

import (
	"runtime"

	"gocore.test/programs/internal/outside"
)

func main() {
	go func() {
		runtime.LockOSThread()
		<-make(chan int)
	}()
	go func() {
		runtime.LockOSThread()
		outside.Settle()
		panic("on my own thread")
	}()
	select {}
}
