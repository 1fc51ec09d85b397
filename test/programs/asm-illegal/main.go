// An undefined instruction in assembly code: SIGILL.
package main

func undefined(n int)

func main() {
	undefined(1)
}
