// A map iterated over while another goroutine writes to it.
package main

//go:noinline
func fill(m map[int]int) {
	for i := 0; ; i++ {
		m[i%100] = i
	}
}

//go:noinline
func sum(m map[int]int) (total int) {
	for _, n := range m {
		total += n
	}
	return total
}

func main() {
	m := map[int]int{1: 1}
	go fill(m)
	for {
		sum(m)
	}
}
