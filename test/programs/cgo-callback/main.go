// Go calls C, C calls Go, and that panics.
package main

/*
extern int goVisit(int n);
int visitAll(int n);
*/
import "C"

//export goVisit
func goVisit(n C.int) C.int {
	if n == 3 {
		panic("the third visit")
	}
	return n
}

//go:noinline
func tour(n int) int { return int(C.visitAll(C.int(n))) }

func main() {
	println(tour(5))
}
