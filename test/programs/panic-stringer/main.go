// A panic with a value that has a String method.
package main

type state int

func (s state) String() string { return [...]string{"idle", "busy", "broken"}[s] }

func main() {
	panic(state(2))
}
