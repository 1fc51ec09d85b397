// Methods of generic types through interfaces, embedded generics, and method values of them.
package main

type shape interface{ area() float64 }

type square[T ~float64] struct{ side T }

//go:noinline
func (s square[T]) area() float64 {
	if s.side > 2 {
		panic("too large")
	}
	return float64(s.side * s.side)
}

type named[S shape] struct {
	S S
	*label[int]
}

type label[N ~int] struct{ n N }

//go:noinline
func (l *label[N]) print(s shape) float64 { return s.area() * float64(l.n) }

type meter float64

//go:noinline
func total(shapes ...shape) (sum float64) {
	for _, s := range shapes {
		n := named[shape]{s, &label[int]{2}}
		f := n.print
		sum += f(n.S)
	}
	return sum
}

func main() {
	println(total(square[float64]{1}, &square[meter]{3}))
}
