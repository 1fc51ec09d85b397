// A conversion of a slice to a longer array pointer.
package main

//go:noinline
func header(data []byte) *[16]byte { return (*[16]byte)(data) }

func main() {
	header(make([]byte, 4))
}
