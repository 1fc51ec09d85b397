// The main goroutine has ended by Goexit and the rest sleeps.
package main

import "runtime"

func main() {
	go func() { select {} }()
	runtime.Goexit()
}
