// Variables of functions: parameters, results, blocks, shadows, closures, what escapes and what the compiler keeps.
package main

import (
	"errors"
	"fmt"
	"os"
	"time"
)

type shape interface{ Area() float64 }

type square struct{ Side float64 }

func (s square) Area() float64 { return s.Side * s.Side }

type weekday int

const (
	sunday weekday = iota
	monday
	tuesday
)

type mode uint8

const (
	read mode = 1 << iota
	write
	execute
)

type stack[T any] struct {
	items []T
	limit int
}

func (s *stack[T]) push(item T) int {
	s.items = append(s.items, item)
	if len(s.items) > s.limit {
		fail(len(s.items), s.items, item)
	}
	return len(s.items)
}

var (
	global        = map[string][]int{"a": {1, 2}, "b": nil}
	day           = tuesday
	modes         = []mode{0, read, read | write, read | write | execute, 16}
	timeout       = 2*time.Second + 500*time.Millisecond
	month         = time.March
	failure       = fmt.Errorf("outer: %w", errors.New("inner"))
	adder         = makeAdder(3, "three")
	method        = square{3}.Area
	table         = [3]func(int) int{nil, double, adder}
	shapes        = []shape{square{1}, &square{2}, nil}
	deep          = map[string]map[string]map[string]int{"x": {"y": {"z": 1}}}
	matrix        = [][]float64{{1, 0}, {0, 1}}
	text          = "a text that is longer than the sixty-four bytes that are shown of it at once"
	list          = make([]int, 100)
	structs       = []square{{1}, {2}}
	pointers      = []*square{{1}, nil, {3}}
	any1      any = map[string]any{"k": []any{1, "two", nil}}
	link          = &node{1, &node{2, &node{3, nil}}}
	anonymous     = struct {
		A int
		B struct{ C, D string }
	}{1, struct{ C, D string }{"c", "d"}}
	channel = make(chan weekday, 3)
	done    chan struct{}
)

type node struct {
	Value int
	Next  *node
}

func double(n int) int { return 2 * n }

func makeAdder(by int, name string) func(int) int {
	calls := 0
	return func(n int) int {
		calls++
		if n < 0 {
			panic(name)
		}
		return n + by + calls
	}
}

func main() {
	channel <- monday
	channel <- tuesday
	first := adder(1)
	name, numbers := "outer", []int{first, 2, 3}
	escaped := square{float64(len(os.Args))}
	keep = &escaped
	for i, number := range numbers {
		name := fmt.Sprint("inner ", i, number)
		if i == 2 {
			s := &stack[string]{limit: 2}
			s.push("one")
			s.push("two")
			result := s.push(name)
			fmt.Println(result)
		}
	}
	fmt.Println(name)
}

var keep any

// The linker leaves out what no one reads.
var used = []any{&global, &day, &modes, &timeout, &month, &failure, &adder, &method, &table, &shapes, &deep, &matrix,
	&text, &list, &structs, &pointers, &any1, &link, &anonymous, &channel, &done}

//go:noinline
func fail(count int, items any, last any) {
	local := map[string]int{"count": count}
	closure := func() int { return local["count"] + count }
	err := error(failure)
	fmt.Fprintln(os.Stderr, closure(), err, len(used), used[0])
	panic(fmt.Sprint(local, items, last))
}
