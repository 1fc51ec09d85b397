// A panic that was recovered long before another, unrelated one.
package main

func try(f func()) (failed bool) {
	defer func() { failed = recover() != nil }()
	f()
	return false
}

func main() {
	try(func() { panic("forgiven") })
	panic("final")
}
