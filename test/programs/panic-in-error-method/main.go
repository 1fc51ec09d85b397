// The Error method of the panic's value panics itself.
package main

type broken struct{ parts []string }

func (b broken) Error() string { return b.parts[3] }

func main() {
	panic(broken{})
}
