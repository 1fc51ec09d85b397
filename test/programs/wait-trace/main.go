// An execution trace is running: its reader waits.
package main

import (
	"io"
	"runtime/trace"

	"gocore.test/programs/internal/outside"
)

func main() {
	if err := trace.Start(io.Discard); err != nil {
		panic(err)
	}
	outside.Settle()
	panic("look around")
}
