// Maps that something happened to: a hash or equality function that panicked in the middle of a lookup, an assignment or
// a deletion, and loops over a map that grew, shrank or was cleared in their body. The program dies inside of both.
package main

import (
	"fmt"
	"os"
	"unsafe"

	"gocore.test/programs/internal/truth"
)

type key struct {
	Name string
	Of   any
}

// bad is a text of three bytes that cannot be read.
func bad() string {
	header := struct {
		data uintptr
		len  int
	}{1, 3}
	return *(*string)(unsafe.Pointer(&header))
}

// try does what panics, and goes on.
func try(what func()) {
	defer func() {
		if recover() == nil {
			os.Stderr.WriteString("nothing happened\n")
		}
	}()
	what()
}

func names(n int) map[string]int {
	m := map[string]int{}
	for i := 0; i < n; i++ {
		m[fmt.Sprintf("%03d", i)] = i
	}
	return m
}

func mixed(n int) map[any]int {
	m := map[any]int{}
	for i := 0; i < n; i++ {
		m[i] = i
		m[fmt.Sprint(i)] = -i
	}
	return m
}

func keys(n int) map[key]int {
	m := map[key]int{}
	for i := 0; i < n; i++ {
		m[key{fmt.Sprintf("%03d", i), i}] = i
	}
	return m
}

func pairs(n int) map[[2]string]int {
	m := map[[2]string]int{}
	for i := 0; i < n; i++ {
		m[[2]string{"one", fmt.Sprintf("%03d", i)}] = i
	}
	return m
}

// loop stops in the middle of a loop whose body changed the map.
func loop(name string, n int, change func(m map[string]int, key string)) {
	m := names(n)
	at := 0
	for key := range m {
		change(m, key)
		if at++; at >= n/2 {
			truth.Add(name, m)
			break
		}
	}
}

func main() {
	// 900 is in the middle of a growth to twice the buckets, before Go 1.24.
	for _, n := range []int{1, 5, 8, 9, 100, 900, 1700} {
		for how, do := range map[string]func(m map[string]int){
			"read":   func(m map[string]int) { os.Stderr.WriteString(fmt.Sprint(m[bad()])) },
			"write":  func(m map[string]int) { m[bad()] = 1 },
			"delete": func(m map[string]int) { delete(m, bad()) },
		} {
			m := names(n)
			truth.Add(fmt.Sprintf("%s-%d", how, n), m)
			try(func() { do(m) })
		}
		any, struct_, array := mixed(n), keys(n), pairs(n)
		truth.Add(fmt.Sprintf("any-%d", n), any)
		truth.Add(fmt.Sprintf("struct-%d", n), struct_)
		truth.Add(fmt.Sprintf("array-%d", n), array)
		try(func() { any[[]int{1}] = 1 })
		try(func() { delete(any, key{"000", []int{1}}) })
		try(func() { struct_[key{"000", []int{1}}] = 1 })
		try(func() { struct_[key{bad(), 0}] = 1 })
		try(func() { array[[2]string{"one", bad()}] = 1 })
		loop(fmt.Sprintf("loop-grows-%d", n), n, func(m map[string]int, key string) {
			for i := 0; i < 20; i++ {
				m[fmt.Sprintf("%s-%d", key, i)] = i
			}
		})
		loop(fmt.Sprintf("loop-shrinks-%d", n), n, func(m map[string]int, key string) { delete(m, key) })
		loop(fmt.Sprintf("loop-replaces-%d", n), n, func(m map[string]int, key string) {
			delete(m, key)
			m["new "+key] = 1
		})
		loop(fmt.Sprintf("loop-clears-%d", n), n, func(m map[string]int, key string) {
			for other := range m {
				delete(m, other)
			}
			m[key] = 1
		})
	}
	last := names(60)
	for key := range last {
		for i := 0; i < 100; i++ {
			last[fmt.Sprintf("%s-%d", key, i)] = i
		}
		truth.Add("last", last)
		defer truth.Die()
		last[bad()] = 1
	}
}
