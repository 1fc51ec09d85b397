// SIGQUIT while a goroutine is in an assembly loop on another thread, which prints its own stack when its turn comes.
package main

import (
	"runtime"

	"gocore.test/programs/internal/outside"
)

func spin(flag *int64)

//go:noinline
func idle(flag *int64) { spin(flag) }

func main() {
	runtime.GOMAXPROCS(2)
	go idle(new(int64))
	outside.Kill("SIGQUIT")
}
