// A comparison of interfaces whose values cannot be compared.
package main

type bag struct{ items []int }

//go:noinline
func same(a, b any) bool { return a == b }

func main() {
	same(bag{}, bag{})
}
