// Assembly functions with frames of their own between Go functions.
package main

// twice calls f twice, from a frame of 64 bytes.
func twice(f func())

// outer jumps through a frame of 4,000 bytes to twice.
func outer(f func())

var calls int

func count() {
	calls++
	if calls == 2 {
		panic("second call")
	}
}

func main() {
	outer(count)
}
