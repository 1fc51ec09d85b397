// Method values and method expressions, of value and pointer receivers and of an interface.
package main

type account struct{ balance int }

//go:noinline
func (a *account) add(n int) {
	a.balance += n
	if a.balance > 3 {
		panic("limit reached")
	}
}

//go:noinline
func (a account) copied(f func(int), n int) { f(n) }

type adder interface{ add(int) }

//go:noinline
func each(f func(int), numbers ...int) {
	for _, n := range numbers {
		f(n)
	}
}

func main() {
	a := &account{}
	each(a.add, 1)
	var i adder = a
	each(i.add, 1)
	expression := (*account).add
	expression(a, 1)
	through := a.copied
	through(i.add, 2)
}
