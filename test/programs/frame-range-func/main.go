//go:build go1.23

// Loops over functions: the body is a closure of its own, with defers and nested loops.
package main

//go:noinline
func upTo(n int) func(func(int, string) bool) {
	return func(yield func(int, string) bool) {
		for i := 0; i < n; i++ {
			if !yield(i, "item") {
				return
			}
		}
	}
}

//go:noinline
func search(limit int) int {
	for i, name := range upTo(5) {
		defer println("left", i)
		for j := range upTo(i) {
			if i*j > limit {
				panic("found " + name)
			}
		}
	}
	return 0
}

func main() {
	search(5)
}
