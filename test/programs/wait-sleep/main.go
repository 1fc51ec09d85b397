// Goroutines that sleep, or wait for timers and tickers.
package main

import (
	"time"

	"gocore.test/programs/internal/outside"
)

func main() {
	go time.Sleep(time.Hour)
	go func() { <-time.NewTimer(time.Hour).C }()
	go func() {
		for range time.NewTicker(time.Hour).C {
		}
	}()
	outside.Kill("SIGQUIT")
}
