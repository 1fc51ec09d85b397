// Channels in every state: nil, empty, with elements around the ring's end, full with waiting senders, with receivers,
// in selects, closed, of elements without a size.
package main

import (
	"strings"
	"time"

	"gocore.test/programs/internal/outside"
	"gocore.test/programs/internal/truth"
)

type order struct {
	ID   int
	Name string
}

func main() {
	truth.Say("nil", (chan int)(nil), "nil")
	truth.Say("empty", make(chan int, 3), "0/3 [] senders [] receivers []")
	truth.Say("unbuffered", make(chan int), "0/0 [] senders [] receivers []")

	ring := make(chan int, 4)
	for i := 0; i < 4; i++ {
		ring <- i
	}
	<-ring
	<-ring
	<-ring
	ring <- 4
	ring <- 5
	truth.Say("ring", ring, "3/4 [3,4,5] senders [] receivers []")

	closed := make(chan string, 2)
	closed <- "last"
	close(closed)
	truth.Say("closed", closed, `1/2 ["last"] closed senders [] receivers []`)

	full := make(chan order, 2)
	full <- order{1, "a"}
	full <- order{2, "b"}
	for i := 3; i < 6; i++ {
		go func(o order) { full <- o }(order{i, strings.Repeat("c", i)})
		settle()
	}
	truth.Say("full", full, `2/2 [{ID:1,Name:"a"},{ID:2,Name:"b"}] senders [{ID:3,Name:"ccc"},{ID:4,Name:"cccc"},{ID:5,Name:"ccccc"}] receivers []`)

	direct := make(chan *order)
	go func() { direct <- &order{9, "direct"} }()
	settle()
	truth.Say("direct", direct, `0/0 [] senders [&{ID:9,Name:"direct"}] receivers []`)

	wanted := make(chan int)
	go func() { <-wanted }()
	go func() { <-wanted }()
	settle()
	truth.Say("receivers", wanted, "0/0 [] senders [] receivers [?,?]")

	left, right := make(chan int), make(chan string)
	go func() {
		select {
		case left <- 42:
		case <-right:
		}
	}()
	settle()
	truth.Say("select-send", left, "0/0 [] senders [42 in select] receivers []")
	truth.Say("select-receive", right, "0/0 [] senders [] receivers [? in select]")

	signals := make(chan struct{}, 5)
	signals <- struct{}{}
	truth.Say("signals", signals, "1/5 [{}] senders [] receivers []")

	var receive <-chan int = ring
	truth.Say("receive-only", receive, "3/4 [3,4,5] senders [] receivers []")

	outside.Settle()
	truth.Die()
}

// The order of waiting senders is that in which they came.
func settle() {
	time.Sleep(20 * time.Millisecond)
}
