// One allocation of 64 TB, more than any machine gives.
package main

//go:noinline
func reserve(bytes uint64) []byte { return make([]byte, bytes) }

func main() {
	println(len(reserve(1 << 46)))
}
