// A panic with a pointer to a struct.
package main

type job struct{ id int }

func main() {
	panic(&job{id: 7})
}
