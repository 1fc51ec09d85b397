// A panic under deferred calls of all kinds: open-coded, in a loop, conditional, with arguments, of a method.
package main

type file struct{ name string }

//go:noinline
func (f *file) close() { println("closed", f.name) }

//go:noinline
func open(name string, fail bool) {
	f := &file{name}
	defer f.close()
	if fail {
		defer func() { println("failing", name) }()
	}
	for i := 0; i < 3; i++ {
		defer func(i int) {
			if i == 1 {
				panic("while closing")
			}
		}(i)
	}
	panic("cannot open " + name)
}

func main() {
	defer println("main ends")
	defer func() {
		defer func() { println(recover() != nil) }()
		panic("inner")
	}()
	open("a.txt", true)
}
