// A read unlock of an unlocked RWMutex, deferred.
package main

import "sync"

func main() {
	var mu sync.RWMutex
	defer mu.RUnlock()
}
