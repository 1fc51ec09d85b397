// Goroutines that wait for a Mutex, and for an RWMutex to read and to write.
package main

import (
	"sync"

	"gocore.test/programs/internal/outside"
)

type table struct {
	sync.RWMutex
	rows map[string]int
}

//go:noinline
func (t *table) get(key string) int { t.RLock(); defer t.RUnlock(); return t.rows[key] }

//go:noinline
func (t *table) set(key string, n int) { t.Lock(); defer t.Unlock(); t.rows[key] = n }

func main() {
	var mu sync.Mutex
	mu.Lock()
	for i := 0; i < 3; i++ {
		go func() { mu.Lock(); defer mu.Unlock() }()
	}
	held, read := &table{}, &table{}
	held.Lock()
	read.RLock()
	go held.get("a")
	go held.set("a", 1)
	go read.set("b", 2)
	outside.Settle()
	go read.get("b")
	outside.Settle()
	panic("look around")
}
