// Goroutines that send to, and receive from, channels: with and without a buffer, nil, in range.
package main

import "gocore.test/programs/internal/outside"

func main() {
	full := make(chan string, 2)
	full <- "a"
	full <- "b"
	go func() { full <- "c" }()
	go func() { make(chan [3]int) <- [3]int{1, 2, 3} }()
	go func() { <-make(chan struct{}) }()
	go func() {
		for range make(chan float64) {
		}
	}()
	go func() { var none chan int; none <- 1 }()
	go func() { var none chan int; <-none }()
	go func() {
		value, ok := <-make(chan error)
		println(value, ok)
	}()
	outside.Settle()
	panic("look around")
}
