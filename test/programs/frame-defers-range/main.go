//go:build go1.23

// What the body of a loop over a function defers is the function's own around the loop, and hangs on a list of its own.
package main

import (
	"runtime"

	"gocore.test/programs/internal/outside"
)

//go:noinline
func upTo(n int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := 0; i < n; i++ {
			if !yield(i) {
				return
			}
		}
	}
}

func due(i int) { println("due", i) }

//go:noinline
func search(then func()) {
	defer due(-1)
	for i := range upTo(4) {
		defer due(i)
		if i == 2 {
			defer func() { println("due", "two") }()
			then()
		}
	}
}

func main() {
	done := make(chan bool)
	go func() {
		defer close(done)
		search(runtime.Goexit)
	}()
	<-done
	go search(func() { select {} })
	outside.Kill("SIGQUIT")
}
