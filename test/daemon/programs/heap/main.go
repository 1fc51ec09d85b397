// Heap dies of a nil map with a thousand goroutines waiting and a heap of three hundred megabytes of noise, so that a
// mini-core has something to leave out.
package main

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
)

type order struct {
	id    int
	name  string
	lines []string
	next  *order
}

var (
	heap    [][]byte
	started sync.WaitGroup
	totals  = map[string]int{"open": 17, "closed": 4}
	banner  = "ledger of " + strconv.Itoa(os.Getpid()*0+2026)
)

func noise(size int) []byte {
	b := make([]byte, size)
	x := uint64(88172645463325252)
	for i := 0; i+8 <= len(b); i += 8 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		for j := 0; j < 8; j++ {
			b[i+j] = byte(x >> (8 * j))
		}
	}
	return b
}

//go:noinline
func worker(number int, label string, jobs chan *order) {
	started.Done()
	o := <-jobs
	fmt.Println(number, label, o)
}

//go:noinline
func post(ledger map[string]int, o *order, note string) {
	ledger[o.name] = len(note)
	fmt.Println(o.next.name)
}

func main() {
	megabytes := 300
	if len(os.Args) > 1 {
		megabytes, _ = strconv.Atoi(os.Args[1])
	}
	goroutines := 1000
	for range make([]struct{}, megabytes) {
		heap = append(heap, noise(1<<20))
	}
	jobs := make(chan *order)
	started.Add(goroutines)
	for i := 0; i < goroutines; i++ {
		go worker(i, "worker "+strconv.Itoa(i), jobs)
	}
	started.Wait()
	time.Sleep(50 * time.Millisecond)
	o := &order{id: 42, name: "forty-two " + banner, lines: []string{"first", "second"}}
	o.next = &order{id: 43, name: "the one behind"}
	post(nil, o, "a note of "+strconv.Itoa(len(heap))+" megabytes "+strconv.Itoa(totals["open"]))
}
