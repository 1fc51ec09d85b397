// A send on a closed channel.
package main

//go:noinline
func post(jobs chan<- int, job int) { jobs <- job }

func main() {
	jobs := make(chan int, 1)
	close(jobs)
	post(jobs, 4)
}
