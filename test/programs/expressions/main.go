// Variables of many kinds in one frame, for expressions to be asked over.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

type inner struct{ X, Y int }

type outer struct {
	inner
	Name string
	Next *outer
	Tags map[string]int
	raw  [4]uint8
}

type pair[K comparable, V any] struct {
	Key   K
	Value V
}

type level int

const (
	low level = iota
	high
)

type shape interface{ area() float64 }

func (i inner) area() float64 { return float64(i.X * i.Y) }

var hidden = "package variable"
var shared = 41

func main() {
	fmt.Fprintln(os.Stderr, strings.Repeat("-", shared/13))
	hold(3, "argument")
}

//go:noinline
func hold(number int, text string) (result error) {
	small, big, half := int8(-5), uint64(1)<<63, 0.5
	c := complex(1, -2)
	letters := []string{"a", "bc", "def"}
	ages := map[string]int{"ann": 31, "bob": 7}
	byCode := map[int]string{1: "one", 2: "two"}
	o := outer{inner: inner{X: 2, Y: 3}, Name: "first", Tags: map[string]int{"t": 1}, raw: [4]uint8{1, 2, 3, 4}}
	o.Next = &outer{Name: "second"}
	pt := &o
	var any1 any = o.inner
	var sh shape = o.inner
	var none error
	err := fmt.Errorf("outside: %w", errors.New("inside"))
	p := pair[string, int]{"k", 9}
	lv := high
	ch := make(chan int, 3)
	ch <- 10
	ch <- 20
	d := 90 * time.Minute
	bytes := []byte("bytes")
	matrix := [2][3]int{{1, 2, 3}, {4, 5, 6}}
	shared := "shadow"
	var nilPointer *outer
	var nilMap map[string]int
	add := func(n int) int { return n + number }
	if number > 2 {
		text := "inner " + text
		use(text)
	}
	use(small, big, half, c, letters, ages, byCode, o, pt, any1, sh, none, err, p, lv, ch, d, bytes, matrix, shared, nilMap, add, hidden)
	return errors.New(nilPointer.Name)
}

//go:noinline
func use(...any) {}
