// Generic functions, methods of generic types, closures within them, one type parameter nested in another.
package main

import "gocore.test/programs/internal/dotted.v2"

type number interface{ ~int | ~float64 }

type list[T any] struct {
	items []T
	next  *list[T]
}

type pair[K comparable, V any] struct {
	key   K
	value V
}

//go:noinline
func apply[T, R any](in []T, f func(T) R) (out []R) {
	for _, item := range in {
		out = append(out, f(item))
	}
	return out
}

//go:noinline
func sum[T number](items ...T) (total T) {
	for _, item := range items {
		total += item
	}
	if total > 5 {
		panic("too much")
	}
	return total
}

//go:noinline
func (l *list[T]) each(visit func(T)) {
	for ; l != nil; l = l.next {
		for _, item := range l.items {
			visit(item)
		}
	}
}

//go:noinline
func (p pair[K, V]) with(f func(K, V)) { f(p.key, p.value) }

func main() {
	numbers := &list[pair[string, []float64]]{items: []pair[string, []float64]{{"a", []float64{1, 2, 3}}}}
	numbers.each(func(p pair[string, []float64]) {
		p.with(func(key string, values []float64) {
			apply(values, func(v float64) *list[float64] {
				sum(v, v*2, float64(len(key)))
				box := dotted.Box[map[string]float64]{}
				box.Open(key)
				return nil
			})
		})
	})
}
