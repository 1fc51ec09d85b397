// An unlock of an unlocked mutex.
package main

import "sync"

type ledger struct{ mu sync.Mutex }

//go:noinline
func (l *ledger) release() { l.mu.Unlock() }

func main() {
	l := &ledger{}
	l.release()
}
