// Goroutines that are in C code, one for long and one in a callback into Go, when another panics.
package main

/*
#include <unistd.h>
extern void goHold(int n);
void hold(int n);
static void doze(int seconds) { sleep(seconds); }
*/
import "C"

import "gocore.test/programs/internal/outside"

//export goHold
func goHold(n C.int) { <-make(chan int) }

func main() {
	go C.doze(3600)
	go func() { C.hold(4) }()
	outside.Settle()
	panic("look around")
}
