// SIGABRT from outside.
package main

import "gocore.test/programs/internal/outside"

func main() {
	go func() { <-make(chan int) }()
	outside.Kill("SIGABRT")
}
