// Endless recursion of two functions with large frames, in a goroutine.
package main

import "runtime/debug"

//go:noinline
func ping(n int, pad [200]byte) byte { pad[n%200]++; return pong(n+1, pad) + pad[0] }

//go:noinline
func pong(n int, pad [200]byte) byte { pad[n%200]++; return ping(n+1, pad) + pad[1] }

func main() {
	debug.SetMaxStack(1 << 20)
	done := make(chan byte)
	go func() { done <- ping(0, [200]byte{}) }()
	<-done
}
