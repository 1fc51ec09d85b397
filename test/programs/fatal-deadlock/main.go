// All goroutines asleep: each of two locks waits for the other.
package main

import "sync"

type account struct {
	sync.Mutex
	balance int
}

//go:noinline
func transfer(from, to *account, ready *sync.WaitGroup) {
	from.Lock()
	defer from.Unlock()
	ready.Done()
	ready.Wait()
	to.Lock()
	to.balance += from.balance
	to.Unlock()
}

func main() {
	var ready, done sync.WaitGroup
	a, b := &account{balance: 1}, &account{balance: 2}
	ready.Add(2)
	done.Add(2)
	go func() { defer done.Done(); transfer(a, b, &ready) }()
	go func() { defer done.Done(); transfer(b, a, &ready) }()
	done.Wait()
}
