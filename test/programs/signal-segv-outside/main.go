// SIGSEGV sent by kill, which is not a fault of the program.
package main

import "gocore.test/programs/internal/outside"

func main() {
	outside.Kill("SIGSEGV")
}
