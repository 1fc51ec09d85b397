//go:build go1.23

// A crash inside a coroutine, by SIGQUIT so that nothing is passed on to the one that pulls.
package main

import (
	"iter"

	"gocore.test/programs/internal/outside"
)

//go:noinline
func stuck(yield func(string) bool) {
	if yield("one") {
		outside.Kill("SIGQUIT")
	}
}

func main() {
	next, _ := iter.Pull(stuck)
	next()
	next()
}
