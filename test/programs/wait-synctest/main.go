//go:build go1.25

// Goroutines in a synctest bubble: durably blocked and not.
package main

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gocore.test/programs/internal/outside"
)

func bubble(t *testing.T) {
	inside := make(chan int)
	var group sync.WaitGroup
	group.Add(1)
	go func() { <-inside }()
	go func() { inside <- <-make(chan int) }()
	go func() {
		select {
		case <-inside:
		case <-make(chan int):
		}
	}()
	go group.Wait()
	go func() {
		var mu sync.Mutex
		mu.Lock()
		mu.Lock()
	}()
	go time.Sleep(time.Hour)
	synctest.Wait()
}

func main() {
	go testing.Main(nil, []testing.InternalTest{{Name: "Bubble", F: func(t *testing.T) {
		synctest.Test(t, bubble)
	}}}, nil, nil)
	outside.Settle()
	outside.Settle()
	panic("look around")
}
