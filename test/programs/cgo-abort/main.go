// C code that aborts.
package main

/*
#include <stdlib.h>
static void give_up(int code) { if (code) abort(); }
*/
import "C"

func main() {
	go func() { select {} }()
	C.give_up(3)
}
