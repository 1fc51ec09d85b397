// A goroutine that waits for a child process, one that reads what it prints.
package main

import (
	"os/exec"

	"gocore.test/programs/internal/outside"
)

func main() {
	command := exec.Command("/bin/sleep", "3")
	out, err := command.StdoutPipe()
	if err != nil {
		panic(err)
	}
	if err := command.Start(); err != nil {
		panic(err)
	}
	go command.Wait()
	go func() { out.Read(make([]byte, 10)) }()
	outside.Settle()
	panic("look around")
}
