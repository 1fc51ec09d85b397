// SIGQUIT while goroutines run on other threads: the signal is passed on from thread to thread.
package main

import (
	"runtime"

	"gocore.test/programs/internal/outside"
)

type random struct{ state, calls uint64 }

//go:noinline
func (r *random) next() uint64 { r.calls++; r.state ^= r.state << 13; return r.state ^ r.state>>7 }

//go:noinline
func burn(r *random, name string) {
	for r.next() != 1 {
	}
	println(name)
}

func main() {
	runtime.GOMAXPROCS(4)
	go burn(&random{state: 1}, "one")
	go burn(&random{state: 2}, "two")
	outside.Ask("SIGQUIT")
	burn(&random{state: 3}, "main")
}
