// Maps in every state: nil, empty, small, of many tables, with deleted entries, growing, of the same size growing,
// within an iteration, with keys and elements of all sizes and kinds.
package main

import (
	"math"
	"os"
	"strings"
	"unsafe"

	"gocore.test/programs/internal/truth"
)

type pair struct {
	A int8
	B int64
}

type big [200]byte

type named map[string]int

type tree struct {
	Left  *tree
	Names map[string]*tree
}

// The beginning of runtime.hmap, before Go 1.24.
type hmap struct {
	count      int
	flags      uint8
	b          uint8
	noverflow  uint16
	hash0      uint32
	buckets    unsafe.Pointer
	oldbuckets unsafe.Pointer
}

func header(m map[int]int) *hmap {
	return *(**hmap)(unsafe.Pointer(&m))
}

func main() {
	truth.Add("nil", map[string]int(nil))
	truth.Add("empty", map[string]int{})
	truth.Add("hinted", make(map[int]int, 1000))
	truth.Add("small", map[string]int{"one": 1, "two": 2, "three": 3})
	truth.Add("eight", numbers(8))
	truth.Add("nine", numbers(9))
	truth.Add("fourteen", numbers(14))
	truth.Add("hundred", numbers(100))
	truth.Add("thousands", numbers(5000))
	truth.Add("deleted", holes(numbers(100), 3))
	truth.Add("mostly-deleted", holes(numbers(3000), 1))
	truth.Add("emptied", holes(numbers(50), 0))
	truth.Add("cleared", cleared(numbers(64)))
	truth.Add("named", named{"x": 1})
	truth.Add("set", map[string]struct{}{"a": {}, "b": {}, "c": {}})
	truth.Add("byte-set", map[uint8]struct{}{1: {}, 2: {}, 255: {}})
	truth.Add("long-set", map[int64]struct{}{-1: {}, 1 << 60: {}})
	truth.Add("bool", map[bool]string{true: "yes", false: "no"})
	truth.Add("int8-int64", map[int8]int64{-1: -1, 1: 1 << 62})
	truth.Add("int64-int8", map[int64]int8{-1: -1, 1 << 62: 1})
	truth.Add("string-int16", map[string]int16{"a": 1, "": 0, "zz": -300})
	truth.Add("int16-array", map[int16][3]byte{5: {1, 2, 3}, -5: {4, 5, 6}})
	truth.Add("int32-complex64", map[int32]complex64{7: 1 + 2i})
	truth.Add("struct-key", map[pair]string{{1, 2}: "a", {-1, -2}: "b"})
	truth.Add("array-key", map[[2]string]bool{{"a", "b"}: true, {"", "c"}: false})
	truth.Add("pointer-elem", map[int]*pair{1: {1, 1}, 2: nil})
	truth.Add("any-key", map[any]any{1: "int", "1": 1, int8(1): nil, 2.5: []int{1}, pair{3, 4}: pair{5, 6}})
	truth.Add("float", map[float64]int{1.5: 1, math.Inf(1): 2, 0: 3})
	truth.Add("nan", map[float64]int{math.NaN(): 1, 2: 2})
	truth.Add("large-key", map[big]int{{1}: 1, {0, 2}: 2})
	truth.Add("large-elem", map[int]big{1: {1}, 2: {0, 0, 3}})
	truth.Add("large-both", largeBoth())
	truth.Add("nested", map[string]map[int][]string{"a": {1: {"x", "y"}}, "b": nil})
	truth.Add("zero", map[struct{}]int{{}: 1})
	truth.Add("nothing", map[struct{}]struct{}{{}: {}})
	self := &tree{}
	self.Names = map[string]*tree{"self": self}
	truth.Say("self", self.Names, `{"self":`)
	truth.Add("growing", growing())
	truth.Add("same-size", sameSize())
	iterated := numbers(40)
	for key := range iterated {
		iterated[key] += 1000
		truth.Add("iterating", iterated)
		truth.Die()
	}
}

func numbers(n int) map[int]int {
	m := map[int]int{}
	for i := 0; i < n; i++ {
		m[i*7] = -i
	}
	return m
}

func holes(m map[int]int, keep int) map[int]int {
	for key := range m {
		if key%10 >= keep {
			delete(m, key)
		}
	}
	return m
}

func cleared(m map[int]int) map[int]int {
	for key := range m {
		delete(m, key)
	}
	m[1] = 2
	return m
}

func largeBoth() map[string]map[big]big {
	m := map[big]big{}
	for i := 0; i < 30; i++ {
		m[big{byte(i), 9}] = big{byte(i), 8}
	}
	return map[string]map[big]big{strings.Repeat("long ", 20): m}
}

// growing stops while a map's entries move to twice the buckets; on Swiss tables just after a split.
func growing() map[int]int {
	m := map[int]int{}
	for i := 0; i < 60000; i++ {
		m[i] = i * i
		if i < 200 || swiss() {
			if i == 1200 {
				break
			}
			continue
		}
		if h := header(m); h.oldbuckets != nil && h.flags&8 == 0 {
			for j := 0; j < 5; j++ {
				m[j] = -j
			}
			if h.oldbuckets != nil {
				os.Stderr.WriteString("growing\n")
			}
			break
		}
	}
	return m
}

// sameSize stops while a map with many overflow buckets moves to as many new ones.
func sameSize() map[int]int {
	m := make(map[int]int, 3000)
	for i := 0; i < 400000; i++ {
		m[i] = i
		delete(m, i-2000)
		if swiss() {
			if i == 5000 {
				break
			}
			continue
		}
		if h := header(m); h.oldbuckets != nil && h.flags&8 != 0 {
			os.Stderr.WriteString("same size\n")
			break
		}
	}
	return m
}

func swiss() bool {
	m := map[int]int{1: 1}
	// hmap has flags and B in its second word, a Swiss map its random seed; B is 0 here.
	h := header(m)
	return h.b != 0 || h.noverflow != 0 || h.flags > 16
}
