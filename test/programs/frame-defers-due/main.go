// Deferred calls of all kinds that are due when the program dies. A goroutine that ends with Goexit runs the same calls
// first, each of which prints its name: their order.
package main

import (
	"runtime"

	"gocore.test/programs/internal/outside"
)

type file struct{ name string }

//go:noinline
func (f *file) close() { println("due", f.name) }

// In the frame: three that are reached, one that is not.
//
//go:noinline
func open(then func(), more bool) {
	f := &file{"open-method"}
	defer f.close()
	name := "open-captured"
	defer func() { println("due", name) }()
	if more {
		defer println("due", "open-never")
	}
	defer println("due", "open-last")
	then()
}

// On the runtime's list: in a loop.
//
//go:noinline
func loop(then func()) {
	for i := 0; i < 3; i++ {
		name := string(rune('a' + i))
		defer func() { println("due", "loop-"+name) }()
	}
	then()
}

// All eight bits.
//
//go:noinline
func eight(then func()) {
	defer println("due", "eight-1")
	defer println("due", "eight-2")
	defer println("due", "eight-3")
	defer println("due", "eight-4")
	defer println("due", "eight-5")
	defer println("due", "eight-6")
	defer println("due", "eight-7")
	defer println("due", "eight-8")
	then()
}

// The last one runs, and waits; those before it are due.
//
//go:noinline
func leave(then func()) {
	defer println("due", "leave-first")
	defer func() { println("due", "leave-second") }()
	defer then()
}

// A panic runs the deferred calls of the functions within; one of them waits.
//
//go:noinline
func failing(then func()) {
	defer println("due", "failing-first")
	defer then()
	defer func() { recover(); panic("again") }()
	panic("once")
}

func all(then func()) {
	open(func() {
		loop(func() {
			eight(func() {
				leave(func() {
					failing(then)
				})
			})
		})
	}, false)
}

func main() {
	done := make(chan bool)
	go func() {
		defer close(done)
		// Goexit ends the panic that leave and failing are in.
		all(runtime.Goexit)
	}()
	<-done
	go func() {
		defer close(done)
		all(func() { select {} })
	}()
	outside.Kill("SIGQUIT")
}
