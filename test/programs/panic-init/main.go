// A panic while a package variable is initialised.
package main

var limits = map[string]int{"small": must(1), "large": must(-1)}

//go:noinline
func must(n int) int {
	if n < 0 {
		panic("negative limit")
	}
	return n
}

func main() {
	println(len(limits))
}
