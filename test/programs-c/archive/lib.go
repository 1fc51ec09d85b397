// The Go half of a C program: built with -buildmode=c-archive.
package main

import "C"

//export Pick
func Pick(n C.int) C.int {
	var list []int
	go func() { select {} }()
	return C.int(list[n])
}

//export Three
func Three() C.int { return 3 }

func main() {}
