// An index out of range.
package main

//go:noinline
func pick(list []string, i int) string { return list[i] }

func main() {
	pick([]string{"a", "b", "c"}, 5)
}
