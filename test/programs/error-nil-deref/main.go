// A nil pointer whose field at offset 24 is read.
package main

type node struct {
	key, left, right int
	next             *node
}

//go:noinline
func second(n *node) *node { return n.next.next }

func main() {
	n := &node{key: 1}
	println(second(n))
}
