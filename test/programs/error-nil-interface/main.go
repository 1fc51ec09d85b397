// A method call on a nil interface.
package main

type store interface{ Load(key string) int }

//go:noinline
func load(s store, key string) int { return s.Load(key) }

func main() {
	load(nil, "a")
}
