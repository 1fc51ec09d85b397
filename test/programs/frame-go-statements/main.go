// Goroutines started in all ways: a function with and without arguments, a closure, a method, a method value, a
// function of another package, a deferred function; each with its creator.
package main

import (
	"sync"
	"time"

	"gocore.test/programs/internal/outside"
)

type worker struct{ jobs chan int }

func (w *worker) run(n int, name string) { <-w.jobs }
func (w worker) idle()                   { <-w.jobs }

type runner interface{ run(int, string) }

func wait(jobs chan int) { <-jobs }
func forever()           { select {} }

type service struct{}

func (service) start(w *worker) { go w.idle() }

func main() {
	w := &worker{make(chan int)}
	var r runner = w
	var mu sync.Mutex
	mu.Lock()
	go forever()
	go wait(w.jobs)
	go w.run(1, "one")
	go r.run(2, "two")
	go w.idle()
	idle := w.idle
	go idle()
	go func(n int, jobs <-chan int) { <-jobs }(3, w.jobs)
	go time.Sleep(time.Hour)
	go mu.Lock()
	service{}.start(w)
	func() { defer func() { go forever() }() }()
	go func() { go func() { go wait(w.jobs) }(); forever() }()
	outside.Settle()
	panic("look around")
}
