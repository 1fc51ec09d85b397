// A map key of an interface type that holds a slice.
package main

//go:noinline
func count(seen map[any]int, key any) { seen[key]++ }

func main() {
	count(map[any]int{}, []int{1, 2})
}
