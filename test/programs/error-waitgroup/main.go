// A WaitGroup that is done more often than it was added to.
package main

import "sync"

func main() {
	var group sync.WaitGroup
	group.Add(1)
	group.Done()
	group.Done()
}
