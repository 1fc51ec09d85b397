// A panic while the garbage collector works and goroutines allocate.
package main

import "runtime"

type node struct {
	left, right *node
	data        [4]int
}

//go:noinline
func grow(depth int) *node {
	if depth == 0 {
		return &node{}
	}
	return &node{left: grow(depth - 1), right: grow(depth - 1)}
}

var keep [4]*node

func main() {
	for i := range keep {
		keep[i] = grow(14)
	}
	for i := 0; i < 3; i++ {
		go func(i int) {
			for {
				keep[i] = grow(12)
			}
		}(i)
	}
	go func() {
		for {
			runtime.GC()
		}
	}()
	for i := 0; i < 20; i++ {
		grow(12)
	}
	panic("look around")
}
