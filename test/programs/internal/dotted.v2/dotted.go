// Package dotted has a dot in the last element of its import path, which the linker escapes in symbol names.
package dotted

// Call calls f from a frame of this package.
//
//go:noinline
func Call(f func(int) int, n int) int { return f(n) + 1 }

// Box is a generic type of this package.
type Box[T any] struct{ Value T }

// Open panics with the value's place in the box.
//
//go:noinline
func (b *Box[T]) Open(key string) T {
	if key != "sesame" {
		panic("wrong key: " + key)
	}
	return b.Value
}
