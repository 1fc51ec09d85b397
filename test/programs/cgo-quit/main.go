// SIGQUIT while a thread computes in C code.
package main

/*
static volatile unsigned long sink;
static void churn(void) { for (;;) sink = sink * 31 + 7; }
*/
import "C"

import "gocore.test/programs/internal/outside"

func main() {
	go C.churn()
	outside.Kill("SIGQUIT")
}
