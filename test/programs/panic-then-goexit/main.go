// Goexit in a deferred call stops a panic; a later one ends the program.
package main

import "runtime"

func main() {
	done := make(chan bool)
	go func() {
		defer close(done)
		defer runtime.Goexit()
		panic("swallowed")
	}()
	<-done
	panic("after")
}
