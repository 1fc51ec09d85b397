// A type assertion to a concrete type that the value has not.
package main

type celsius float64
type kelvin float64

//go:noinline
func freeze(v any) kelvin { return v.(kelvin) }

func main() {
	freeze(celsius(0))
}
