// A panic with an error that wraps another.
package main

import (
	"errors"
	"fmt"
)

var errClosed = errors.New("connection closed")

func main() {
	panic(fmt.Errorf("read frame %d: %w", 17, errClosed))
}
