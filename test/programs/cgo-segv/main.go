// A bad address read in C code, called from Go.
package main

/*
static int length(const char *text) {
	int n = 0;
	while (*(volatile const char *)text++) n++;
	return n;
}
*/
import "C"

//go:noinline
func measure(at uintptr) int { return int(C.length((*C.char)(nil))) + int(at) }

func main() {
	println(measure(16))
}
