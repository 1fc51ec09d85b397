//go:build go1.23

// Coroutines of iter.Pull: one that waits to be asked for its next value, one that was never started.
package main

import (
	"iter"

	"gocore.test/programs/internal/outside"
)

//go:noinline
func naturals(yield func(int) bool) {
	for i := 0; yield(i); i++ {
	}
}

func main() {
	next, stop := iter.Pull(naturals)
	defer stop()
	next()
	next()
	_, stopUnused := iter.Pull2(func(yield func(string, error) bool) { yield("", nil) })
	defer stopUnused()
	outside.Settle()
	panic("look around")
}
