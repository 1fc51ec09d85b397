// Values of every kind: numbers at their ends, texts that are no UTF-8, slices of slices, pointers in circles,
// interfaces, embedded structs, generics.
package main

import (
	"errors"
	"math"
	"strings"
	"unsafe"

	"gocore.test/programs/internal/truth"
)

type (
	myInt       int
	myString    string
	list[T any] struct {
		Value T
		Next  *list[T]
	}
	base struct {
		ID   int
		Name string
	}
	middle struct {
		*base
		Extra float32
	}
	outer struct {
		middle
		base2
		Tag any
	}
	base2  struct{ Deep [2]base }
	dir    int8
	single struct{ P *int }
	mixed  struct {
		A bool
		B int16
		C bool
		D int64
		E [3]uint8
		F string
		G []byte
		H any
		I error
		J func(int) string
		K chan int
		L unsafe.Pointer
		M uintptr
		N complex64
		O map[string]int
		P *mixed
		_ int32
		Q struct{}
	}
)

func (d dir) Error() string { return "direction" }

func main() {
	truth.Add("ints", []any{int8(math.MinInt8), int16(math.MinInt16), int32(math.MinInt32), int64(math.MinInt64), int(-1)})
	truth.Add("uints", []any{uint8(math.MaxUint8), uint16(math.MaxUint16), uint32(math.MaxUint32), uint64(math.MaxUint64), uint(1)})
	truth.Add("uintptr", uintptr(0xdeadbeef))
	truth.Add("bools", []bool{true, false})
	truth.Add("floats", []float64{0, 1, -1.5, math.Pi, math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1), math.NaN(), 1e21, 123456789.125, 1e-7, 5e-324, 0.1, 100})
	truth.Add("float32s", []float32{0, 1, -1.5, math.Pi, math.MaxFloat32, math.SmallestNonzeroFloat32, 0.1, 16777216, 1e10, 3.4e-5})
	truth.Add("negative-zero", math.Copysign(0, -1))
	truth.Add("complexes", []complex128{1 + 2i, complex(math.Inf(1), -1), 0})
	truth.Add("complex64", complex64(1.25-0.1i))
	truth.Add("strings", []string{"", "plain", "with \"quotes\" and \\", "tab\tnewline\nbell\a", "ünï 世界 🙂", "\xff\xfe bad \xc3", "\x00\x7f", "\u200b\u00a0\ufeff\u2028", "\U000e0001"})
	truth.Add("named", []any{myInt(5), myString("five"), dir(-3)})
	truth.Add("nil-slice", []int(nil))
	truth.Add("empty-slice", []int{})
	truth.Add("slices", [][]int{{1, 2}, {}, nil, {3}})
	truth.Add("array", [3]string{"a", "b", "c"})
	truth.Add("empty-array", [0]int{})
	truth.Add("arrays", [2][2][2]int8{{{1, 2}, {3, 4}}, {{5, 6}, {7, 8}}})
	truth.Add("structs", []base{{1, "one"}, {2, "two"}})
	truth.Add("empty-struct", struct{}{})
	truth.Add("zero-sized", []struct{}{{}, {}})
	truth.Add("anonymous", struct {
		A int
		B struct{ C string }
	}{1, struct{ C string }{"c"}})
	n := 42
	p := &n
	truth.Add("pointer", p)
	truth.Add("pointer-pointer", &p)
	truth.Add("nil-pointer", (*base)(nil))
	truth.Add("single", single{&n})
	truth.Add("single-array", [1]*int{&n})
	truth.Add("embedded", outer{middle: middle{&base{1, "b"}, 2.5}, base2: base2{[2]base{{2, "x"}, {3, "y"}}}, Tag: "t"})
	truth.Add("nil-embedded", middle{})
	truth.Add("anys", []any{nil, 1, "two", 3.0, []int{4}, map[string]int{"five": 5}, base{6, "six"}, &base{7, "seven"}, [2]bool{true, false}, struct{}{}, errors.New("e")})
	truth.Add("errors", []error{nil, errors.New("plain"), dir(1), wrapped{errors.New("inner")}})
	truth.Add("generic", list[string]{"a", &list[string]{"b", nil}})
	truth.Add("generic-int", &list[map[int]bool]{map[int]bool{1: true}, nil})
	truth.Add("mixed", mixed{A: true, B: -2, C: true, D: 1 << 40, E: [3]uint8{1, 2, 3}, F: "f", G: []byte("bytes"), H: 'x', I: dir(2), M: 99, N: 1 + 1i, O: map[string]int{"k": 1}})
	truth.Add("bytes", []byte("some bytes\x00\xff"))
	truth.Add("runes", []rune("ruñes"))
	truth.Add("window", []int{0, 1, 2, 3, 4, 5, 6, 7}[2:5:6])
	truth.Add("long", make([]int16, 200))
	truth.Add("long-string", strings.Repeat("0123456789", 50))
	circle := &list[int]{Value: 1}
	circle.Next = &list[int]{2, circle}
	truth.Say("circle", circle, "&{Value:1,Next:&{Value:2,Next:&{Value:1,Next:&{Value:2,")
	var loop any
	loop = &loop
	truth.Say("loop", loop, "&*interface {}(&*interface {}(&")
	slice := make([]any, 1)
	slice[0] = slice
	truth.Say("self-slice", slice, "[[]interface {}([[]interface {}([")
	truth.Die()
}

type wrapped struct{ err error }

func (w wrapped) Error() string { return "wrapped: " + w.err.Error() }
