package stock

import "time"

// Order is one thing that a customer wants.
type Order struct {
	ID   int
	Item string
}

// Shop takes orders and knows prices.
type Shop struct {
	table   *table
	orders  chan Order
	refresh chan string
	closing chan struct{}
}

// Open starts a shop with so many packers.
func Open(packers int) *Shop {
	s := &Shop{
		table:   &table{prices: map[string]Price{"lamp": {Item: "lamp", Cents: 1999}}},
		orders:  make(chan Order),
		refresh: make(chan string, 8),
		closing: make(chan struct{}),
	}
	for n := 1; n <= packers; n++ {
		go s.packer(n)
	}
	go s.refresher()
	go s.auditor()
	return s
}

// Order hands an order to a packer that is free.
func (s *Shop) Order(o Order) { s.orders <- o }

// Price looks an item up; one that is not known gets a price soon.
func (s *Shop) Price(item string) (Price, bool) {
	p, ok := s.table.get(item)
	if !ok {
		s.refresh <- item
	}
	return p, ok
}

// Reset forgets all prices.
func (s *Shop) Reset() { s.table.reset() }

// Closing is closed when the shop closes, which it never does.
func (s *Shop) Closing() <-chan struct{} { return s.closing }

func (s *Shop) packer(n int) {
	for o := range s.orders {
		time.Sleep(time.Duration(o.ID%n+1) * time.Millisecond)
	}
}

func (s *Shop) refresher() {
	for item := range s.refresh {
		s.table.put(Price{Item: item, Cents: 100 + len(item)*7})
	}
}

func (s *Shop) auditor() {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			s.table.get("lamp")
		case <-s.closing:
			return
		}
	}
}
