// Names that need care: letters beyond ASCII, a dotted package path, local types, blank and numbered functions.
package main

import "gocore.test/programs/internal/dotted.v2"

type größe struct{ λ int }

//go:noinline
func (g größe) überlauf() int {
	if g.λ > 1 {
		panic("größer als 1")
	}
	return g.λ
}

//go:noinline
func init0(n int) int {
	type local struct{ größe }
	l := &local{größe{n}}
	var i interface{ überlauf() int } = l
	return i.überlauf()
}

func main() {
	println(dotted.Call(init0, 1))
	println(dotted.Call(func(n int) int { return dotted.Call(init0, n) }, 2))
}
