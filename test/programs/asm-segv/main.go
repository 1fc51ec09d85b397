// A bad address read in assembly code.
package main

func load(address *int64) int64

//go:noinline
func fetch(address *int64) int64 { return load(address) }

func main() {
	println(fetch(nil))
}
