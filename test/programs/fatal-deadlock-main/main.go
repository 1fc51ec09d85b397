// All goroutines asleep, and only one there: a receive that nobody answers, after text on standard error.
package main

func main() {
	println("before")
	<-make(chan int)
}
