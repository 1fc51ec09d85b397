// Methods promoted from embedded structs and interfaces, three levels down: wrappers that the compiler writes.
package main

type reader interface{ read(at int) byte }

type memory []byte

//go:noinline
func (m memory) read(at int) byte { return m[at] }

type device struct {
	name string
	reader
}

type port struct{ *device }

type board struct {
	serial [3]int
	port
}

//go:noinline
func boot(r reader, at int) byte { return r.read(at) }

func main() {
	b := board{port: port{&device{"uart", memory{1, 2, 3}}}}
	boot(b, 1)
	boot(&b, 2)
	boot(struct{ reader }{&b}, 9)
}
