// A web server with connections in all states: idle, in a handler, in a slow body.
package main

import (
	"io"
	"net"
	"net/http"
	"time"

	"gocore.test/programs/internal/outside"
)

type shop struct{ stock map[string]int }

func (s *shop) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/slow":
		time.Sleep(time.Hour)
	case "/body":
		io.Copy(io.Discard, r.Body)
	case "/buy":
		s.stock[r.URL.Query().Get("item")]--
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	base := "http://" + listener.Addr().String()
	server := &http.Server{Handler: &shop{stock: map[string]int{}}}
	go server.Serve(listener)
	http.Get(base + "/")
	go http.Get(base + "/slow")
	body, _ := io.Pipe()
	go http.Post(base+"/body", "text/plain", body)
	outside.Settle()
	outside.Ask("SIGQUIT")
	select {}
}
