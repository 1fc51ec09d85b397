// A type assertion to an interface whose method the value lacks.
package main

type file struct{ name string }

func (f *file) Read() int { return len(f.name) }

type readCloser interface {
	Read() int
	Close() error
}

//go:noinline
func closer(v any) readCloser { return v.(readCloser) }

func main() {
	closer(&file{"a"}).Close()
}
