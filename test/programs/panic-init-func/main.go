// A panic in the second init function, from a closure that a package variable holds.
package main

var check = func(n int) {
	if n == 0 {
		panic("nothing to check")
	}
}

func init() { check(1) }

func init() { check(0) }

func main() {}
