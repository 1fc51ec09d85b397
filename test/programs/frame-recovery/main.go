// Values that the compiler no longer tracks where the program stands: dead after a call, passed on in a register.
package main

import (
	"fmt"
	"os"
)

type box struct {
	name string
	n    int
}

//go:noinline
func tick(n int) int {
	if n > 1000 {
		fmt.Println("far")
	}
	return n + 1
}

// The parameters were spilled before the call of tick, and are dead when it panics.
//
//go:noinline
func inner(b *box, label string, k int) int {
	k = tick(k)
	if k < 3 {
		fmt.Fprintln(os.Stderr, b.name, label)
	}
	if k > 5 {
		panic("too far")
	}
	return b.n + k + len(label)
}

// It passes its own on and needs them no more.
//
//go:noinline
func outer(b *box, label string) int {
	return inner(b, label, b.n)
}

func main() {
	b := &box{name: "recovered", n: len(os.Args) + 40}
	fmt.Fprintf(os.Stderr, "truth: b=%p name=%s n=%d label=%s\n", b, b.name, b.n, "label-7")
	fmt.Println(outer(b, "label-7"))
}
