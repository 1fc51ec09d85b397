// The shop behind HTTP. It prints its address and serves until the bug in package stock ends it.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"strconv"
	"strings"

	"example.com/shop/stock"
)

type server struct{ shop *stock.Shop }

func (s server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasPrefix(r.URL.Path, "/price/"):
		p, ok := s.shop.Price(strings.TrimPrefix(r.URL.Path, "/price/"))
		if !ok {
			http.Error(w, "no price yet", http.StatusNotFound)
			return
		}
		json.NewEncoder(w).Encode(p)
	case strings.HasPrefix(r.URL.Path, "/order/"):
		id, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/order/"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.shop.Order(stock.Order{ID: id, Item: "lamp"})
		fmt.Fprintln(w, "ordered")
	case r.URL.Path == "/watch":
		s.watch(r)
	case r.URL.Path == "/reset":
		s.shop.Reset()
		fmt.Fprintln(w, "reset")
	default:
		http.NotFound(w, r)
	}
}

// watch is a long poll: it answers when the shop closes or the customer leaves.
func (s server) watch(r *http.Request) {
	select {
	case <-s.shop.Closing():
	case <-r.Context().Done():
	}
}

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on")
	packers := flag.Int("packers", 24, "number of packers")
	flag.Parse()
	listener, err := net.Listen("tcp", *addr)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, server{stock.Open(*packers)}))
}
