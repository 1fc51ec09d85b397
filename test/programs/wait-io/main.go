// Goroutines that wait for the network: accept, read, write.
package main

import (
	"net"

	"gocore.test/programs/internal/outside"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		panic(err)
	}
	server, err := listener.Accept()
	if err != nil {
		panic(err)
	}
	go listener.Accept()
	go func() { server.Read(make([]byte, 100)) }()
	go func() {
		for {
			client.Write(make([]byte, 1<<20))
		}
	}()
	outside.Settle()
	outside.Settle()
	panic("look around")
}
