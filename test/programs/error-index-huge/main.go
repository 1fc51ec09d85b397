// Indices of more than 53 bits: unsigned, and of 64 bits with a sign.
package main

//go:noinline
func pick(list []string, i uint64) string { return list[i] }

//go:noinline
func try(f func()) {
	defer func() { println(recover().(error).Error()) }()
	f()
}

func main() {
	list := []string{"a"}
	try(func() { pick(list, 1<<63+5) })
	pick(list, 1<<60+1)
}
