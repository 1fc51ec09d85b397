// A panic that is recovered, and another raised by the function that recovered.
package main

func guard(f func()) {
	defer func() {
		if r := recover(); r != nil {
			panic("guard: " + r.(string))
		}
	}()
	f()
}

func main() {
	guard(func() { panic("inner") })
}
