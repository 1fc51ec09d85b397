// A CPU profile is being taken: its writer sleeps.
package main

import (
	"io"
	"runtime/pprof"

	"gocore.test/programs/internal/outside"
)

func main() {
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		panic(err)
	}
	outside.Settle()
	panic("look around")
}
