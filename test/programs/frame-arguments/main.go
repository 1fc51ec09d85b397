// Arguments of all kinds: more than ten words, floats, strings, slices, interfaces, arrays, structs within structs.
package main

import "time"

type inner struct {
	a byte
	b [2]int16
	c string
}

type outer struct {
	first inner
	list  []inner
	any   any
	err   error
	f     func(int) int
	flag  bool
}

type empty struct{}

type deep struct {
	d struct {
		d struct {
			d struct{ d struct{ d struct{ n int } } }
		}
	}
}

//go:noinline
func many(a, b, c, d, e, f, g, h, i, j, k, l int) int {
	return kinds(1, -2, 3, true, 'x', 1.5, 2.5, 3i) + a + l
}

//go:noinline
func kinds(a int8, b int16, c uint32, d bool, e rune, f float32, g float64, h complex128) int {
	return texts("one", []byte("two"), nil, error(nil), any(3), map[string]int{"a": 1}, make(chan int, 4)) + int(a)
}

//go:noinline
func texts(a string, b []byte, c *int, d error, e any, f map[string]int, g chan int) int {
	return arrays([0]int{}, [1]string{"x"}, [2]int8{1, 2}, [3]int{4, 5, 6}, empty{}) + len(a)
}

//go:noinline
func arrays(a [0]int, b [1]string, c [2]int8, d [3]int, e empty) int {
	return structs(outer{first: inner{1, [2]int16{2, 3}, "in"}}, &outer{}, deep{}, time.Hour) + len(b)
}

//go:noinline
func structs(a outer, b *outer, c deep, d time.Duration) int {
	return variadic(7, "a", 2, nil, 3.5) + int(d)
}

//go:noinline
func variadic(n int, rest ...any) int { return results(n, len(rest), []string{"a", "b"}) }

//go:noinline
func results(a, b int, names []string) (sum int) {
	sum = a + b
	if len(names) == 2 {
		panic("arguments")
	}
	return sum + unused(a, "x", 3)
}

//go:noinline
func unused(_ int, _ string, c int) int { return c }

func main() {
	many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
}
