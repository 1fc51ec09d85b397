// A deferred call panics while Goexit ends the goroutine.
package main

import "runtime"

func main() {
	go func() {
		defer func() { panic("while leaving") }()
		runtime.Goexit()
	}()
	select {}
}
