// A breakpoint without a debugger.
package main

import "runtime"

//go:noinline
func stop(n int) { runtime.Breakpoint(); println(n) }

func main() {
	stop(5)
}
