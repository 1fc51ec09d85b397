// Frames of many kilobytes, and a stack that grew several times.
package main

import "gocore.test/programs/internal/outside"

//go:noinline
func fill(buffer *[50_000]byte, level int) byte {
	var mine [50_000]byte
	mine[level] = buffer[level] + 1
	if level == 5 {
		outside.Kill("SIGQUIT")
	}
	return fill(&mine, level+1) + mine[7]
}

func main() {
	fill(&[50_000]byte{}, 0)
}
