// Goroutines that wait within inlined calls, started from inlined calls.
package main

import (
	"sync"

	"gocore.test/programs/internal/outside"
)

type queue struct {
	mu    sync.Mutex
	items chan int
}

func (q *queue) take() int        { return <-q.items }
func (q *queue) next() int        { return q.take() + 1 }
func (q *queue) start(f func())   { go f() }
func (q *queue) startTwice()      { q.start(func() { q.next() }); q.start(func() { q.locked() }) }
func (q *queue) locked()          { q.mu.Lock(); q.mu.Unlock() }
func (q *queue) startNamed(n int) { go worker(q, n) }

func worker(q *queue, n int) {
	for i := 0; i < n; i++ {
		q.next()
	}
}

func main() {
	q := &queue{items: make(chan int)}
	q.mu.Lock()
	q.startTwice()
	q.startNamed(2)
	outside.Settle()
	panic("look around")
}
