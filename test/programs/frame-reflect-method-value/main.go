// A panic in a method that is called as a value taken by reflection.
package main

import "reflect"

type robot struct{ name string }

//go:noinline
func (r *robot) Greet(other string, times float64) { panic(r.name + " is tired of " + other) }

func main() {
	greet := reflect.ValueOf(&robot{"al"}).Method(0).Interface().(func(string, float64))
	greet("bob", 2)
}
