// Endless recursion, stopped at a stack of 1 MB.
package main

import "runtime/debug"

type tree struct {
	left, right *tree
	size        int
}

//go:noinline
func (t *tree) depth(level int) int {
	return 1 + t.left.depth(level+1)
}

func main() {
	debug.SetMaxStack(1 << 20)
	t := &tree{}
	t.left = t
	println(t.depth(0))
}
