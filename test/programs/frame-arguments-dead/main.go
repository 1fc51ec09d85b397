// Arguments that are no longer needed where the function waits: the runtime marks what may be stale with a question mark.
package main

import "gocore.test/programs/internal/outside"

//go:noinline
func early(a, b int, name string, done chan int) int {
	n := a + b + len(name)
	<-done
	return n
}

//go:noinline
func late(a, b int, name string, done chan int) int {
	<-done
	return a + b + len(name)
}

//go:noinline
func branch(a int, names []string, done chan int) int {
	if a > 1 {
		a = <-done
		return a
	}
	for i, name := range names {
		<-done
		a += i + len(name)
	}
	return a
}

func main() {
	done := make(chan int)
	go early(1, 2, "early", done)
	go late(1, 2, "late", done)
	go branch(1, []string{"x"}, done)
	go branch(2, nil, done)
	outside.Settle()
	panic("look around")
}
