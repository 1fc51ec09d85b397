// A goroutine that asks for the time without end, mostly in the kernel's vDSO, when SIGQUIT arrives.
package main

import (
	"time"

	"gocore.test/programs/internal/outside"
)

//go:noinline
func watch(until time.Time) (n int) {
	for time.Now().Before(until) {
		n++
	}
	return n
}

func main() {
	go watch(time.Now().Add(time.Hour))
	outside.Kill("SIGQUIT")
}
