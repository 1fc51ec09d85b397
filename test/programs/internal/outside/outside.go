// Package outside is how a program asks whoever runs it for a signal: it writes "send SIGQUIT" to standard output
// when it is ready to die.
package outside

import (
	"syscall"
	"time"
)

// Settle gives the goroutines that were just started the time to reach what they will wait for.
func Settle() { time.Sleep(60 * time.Millisecond) }

// Ask asks for the signal and returns at once.
func Ask(signal string) {
	Settle()
	syscall.Write(1, []byte("send "+signal+"\n"))
}

// Kill asks for the signal and waits for it.
func Kill(signal string) {
	Ask(signal)
	time.Sleep(time.Hour)
}
