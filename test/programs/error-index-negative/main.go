// A negative index, in a string.
package main

//go:noinline
func last(text string, n int) byte { return text[n-1] }

func main() {
	last("", 0)
}
