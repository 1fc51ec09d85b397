// A program that prints much with println before it panics: more than the runtime's backlog of 512 bytes.
package main

func main() {
	for i := 0; i < 60; i++ {
		println("line", i, "of the log")
	}
	panic("end")
}
