//go:build go1.23

// A panic in a coroutine, which iter.Pull raises again in the caller of next.
package main

import "iter"

func main() {
	next, _ := iter.Pull(func(yield func(int) bool) {
		yield(1)
		panic("no more")
	})
	next()
	next()
}
