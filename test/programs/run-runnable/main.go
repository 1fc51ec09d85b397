// One processor, busy: other goroutines are runnable and some were never started.
package main

import "runtime"

//go:noinline
func yield(n int) {
	for i := 0; i < n; i++ {
		runtime.Gosched()
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	go yield(1 << 30)
	go yield(1 << 30)
	yield(100)
	for i := 0; i < 3; i++ {
		go func(i int) { println("never", i) }(i)
	}
	go yield(7)
	panic("look around")
}
