// The program sends itself SIGABRT.
package main

import (
	"syscall"
	"time"
)

//go:noinline
func giveUp(code int) {
	syscall.Kill(syscall.Getpid(), syscall.SIGABRT)
	time.Sleep(time.Hour)
	println(code)
}

func main() {
	giveUp(3)
}
