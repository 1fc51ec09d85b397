// Package stock is a small shop's inside: a price table, packers that wait for orders, and a refresher. It carries the
// bug that scripts/try shows: Reset drops the table, and the refresher writes to it all the same.
package stock

import "sync"

// Price is what an item costs.
type Price struct {
	Item  string
	Cents int
}

type table struct {
	mu     sync.Mutex
	prices map[string]Price
}

func (t *table) put(p Price) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.prices[p.Item] = p
}

func (t *table) get(item string) (Price, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p, ok := t.prices[item]
	return p, ok
}

func (t *table) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.prices = nil
}
