// A goroutine in an assembly loop, which nothing can preempt, when another panics: its stack is "unavailable".
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
	outside.Settle()
	panic("look around")
}
