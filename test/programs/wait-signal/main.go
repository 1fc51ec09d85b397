// A program that has asked to be told of signals, so that the runtime's signal goroutine exists.
package main

import (
	"context"
	"os"
	"os/signal"

	"gocore.test/programs/internal/outside"
)

func main() {
	incoming := make(chan os.Signal, 1)
	signal.Notify(incoming, os.Interrupt)
	go func() { <-incoming }()
	ctx, stop := signal.NotifyContext(context.Background(), os.Kill)
	defer stop()
	go func() { <-ctx.Done() }()
	outside.Settle()
	panic("look around")
}
