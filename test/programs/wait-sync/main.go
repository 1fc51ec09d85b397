// Goroutines that wait for a Cond, a WaitGroup, a Once that is being done.
package main

import (
	"sync"

	"gocore.test/programs/internal/outside"
)

func main() {
	cond := sync.NewCond(&sync.Mutex{})
	go func() {
		cond.L.Lock()
		for {
			cond.Wait()
		}
	}()
	var group sync.WaitGroup
	group.Add(2)
	go group.Wait()
	go func() { defer group.Done(); group.Wait() }()
	var once sync.Once
	go once.Do(func() { select {} })
	outside.Settle()
	go once.Do(func() {})
	outside.Settle()
	panic("look around")
}
