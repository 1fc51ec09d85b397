// A panic in a function that a timer calls.
package main

import "time"

func main() {
	time.AfterFunc(5*time.Millisecond, func() { panic("time is up") })
	time.Sleep(time.Hour)
}
