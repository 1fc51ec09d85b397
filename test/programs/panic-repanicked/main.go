// A panic that is recovered and raised again with the same value.
package main

import "errors"

var errBroken = errors.New("broken pipe")

func guard(f func()) {
	defer func() {
		if r := recover(); r != nil {
			panic(r)
		}
	}()
	f()
}

func main() {
	guard(func() { panic(errBroken) })
}
