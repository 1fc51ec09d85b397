// A call of a nil function value.
package main

type hooks struct{ done func(int) }

//go:noinline
func finish(h *hooks) { h.done(3) }

func main() {
	finish(&hooks{})
}
