// A thousand goroutines in a few places.
package main

import (
	"sync"

	"gocore.test/programs/internal/outside"
)

type pool struct {
	jobs chan int
	mu   sync.Mutex
}

func (p *pool) take(id int) int { return <-p.jobs + id }
func (p *pool) lock(id int) int { p.mu.Lock(); defer p.mu.Unlock(); return id }

func main() {
	p := &pool{jobs: make(chan int)}
	p.mu.Lock()
	for i := 0; i < 1000; i++ {
		switch i % 3 {
		case 0:
			go p.take(i)
		case 1:
			go p.lock(i)
		default:
			go func() { <-p.jobs }()
		}
	}
	outside.Settle()
	panic("look around")
}
