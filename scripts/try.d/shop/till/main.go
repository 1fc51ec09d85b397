// The shop without a network: a few customers, then the bug in package stock. Small enough that the repository can
// carry its core (scripts/make-fixture).
package main

import (
	"sync"
	"time"

	"example.com/shop/stock"
)

func customer(shop *stock.Shop, id int, served *sync.WaitGroup) {
	shop.Order(stock.Order{ID: id, Item: "lamp"})
	shop.Price("lamp")
	served.Done()
	<-shop.Closing()
}

func main() {
	shop := stock.Open(24)
	var served sync.WaitGroup
	for id := 1; id <= 12; id++ {
		served.Add(1)
		go customer(shop, id, &served)
	}
	served.Wait()
	time.Sleep(50 * time.Millisecond)
	shop.Reset()
	shop.Price("chair")
	<-shop.Closing()
}
