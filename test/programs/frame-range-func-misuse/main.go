//go:build go1.23

// An iterator that goes on after the loop has ended: a runtime error of range-over-func.
package main

func stubborn(yield func(int) bool) {
	yield(1)
	yield(2)
}

//go:noinline
func first() int {
	for n := range stubborn {
		return n
	}
	return 0
}

func main() {
	println(first())
}
