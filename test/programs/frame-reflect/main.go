// Calls through package reflect: a function, a method, a function made by MakeFunc, a method value.
package main

import "reflect"

type robot struct{ name string }

//go:noinline
func (r robot) Greet(other string, times int) string {
	if times > 1 {
		panic(r.name + " is tired of " + other)
	}
	return other
}

//go:noinline
func greet(f func(string, int) string, n int) string { return f("bob", n) }

func main() {
	method := reflect.ValueOf(robot{"al"}).MethodByName("Greet")
	made := reflect.MakeFunc(reflect.TypeOf(robot{}.Greet), func(in []reflect.Value) []reflect.Value {
		return method.Call(in)
	})
	through := method.Interface().(func(string, int) string)
	reflect.ValueOf(greet).Call([]reflect.Value{reflect.ValueOf(through), reflect.ValueOf(1)})
	reflect.ValueOf(greet).Call([]reflect.Value{made, reflect.ValueOf(2)})
}
