// Waits of more than a minute, which the runtime counts from the garbage collection before the one that first saw them;
// one is locked to its thread.
package main

import (
	"runtime"
	"time"

	"gocore.test/programs/internal/outside"
)

func main() {
	go func() { <-make(chan int) }()
	go func() {
		runtime.LockOSThread()
		select {}
	}()
	go time.Sleep(time.Hour)
	outside.Settle()
	runtime.GC()
	runtime.GC()
	time.Sleep(66 * time.Second)
	outside.Kill("SIGQUIT")
}
