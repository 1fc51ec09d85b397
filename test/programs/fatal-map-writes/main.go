// A map written by two goroutines at once.
package main

//go:noinline
func fill(m map[int]int, from int) {
	for i := from; ; i++ {
		m[i%100] = i
	}
}

func main() {
	m := map[int]int{}
	go fill(m, 1)
	fill(m, 2)
}
