// A slice made with a negative length.
package main

//go:noinline
func buffer(size int) []byte { return make([]byte, size) }

func main() {
	println(len(buffer(-1)))
}
