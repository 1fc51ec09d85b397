// Closures within closures, with captured variables, called later and from a goroutine.
package main

type task struct{ run func(int) int }

func counter(step int) func(int) func() int {
	total := 0
	return func(n int) func() int {
		return func() int {
			total += step * n
			func() {
				if total > 10 {
					panic("enough")
				}
			}()
			return total
		}
	}
}

var double = func(f func() int) int { return f() + f() }

func main() {
	done := make(chan int)
	go func(tasks ...task) {
		for i, t := range tasks {
			done <- t.run(i + 1)
		}
	}(task{func(n int) int { return double(counter(n)(n)) }}, task{func(n int) int { return double(counter(4)(n)) }})
	println(<-done)
	println(<-done)
}
