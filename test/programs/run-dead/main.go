// Goroutines that ended before the crash, whose places others took.
package main

import (
	"sync"

	"gocore.test/programs/internal/outside"
)

func main() {
	var group sync.WaitGroup
	for i := 0; i < 50; i++ {
		group.Add(1)
		go func() { defer group.Done() }()
	}
	group.Wait()
	for i := 0; i < 5; i++ {
		go func() { select {} }()
	}
	outside.Settle()
	panic("look around")
}
