// Slice bounds out of range, three indices.
package main

//go:noinline
func window(list []int, from, to, limit int) []int { return list[from:to:limit] }

func main() {
	window(make([]int, 4, 8), 5, 3, 6)
}
