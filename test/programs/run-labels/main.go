// Goroutines with profiling labels, set, inherited and nested.
package main

import (
	"context"
	"runtime/pprof"

	"gocore.test/programs/internal/outside"
)

func main() {
	go pprof.Do(context.Background(), pprof.Labels("tenant", "acme", "request", "GET /a b"), func(ctx context.Context) {
		go func() { select {} }()
		pprof.Do(ctx, pprof.Labels("step-2", "two\nlines"), func(context.Context) { <-make(chan int) })
	})
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("role", "main")))
	outside.Settle()
	panic("look around")
}
