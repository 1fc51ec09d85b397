// A value method called through a nil pointer in an interface: the compiler's wrapper panics.
package main

type celsius struct{ degrees float64 }

func (c celsius) Degrees() float64 { return c.degrees }

type thermometer interface{ Degrees() float64 }

//go:noinline
func read(t thermometer) float64 { return t.Degrees() }

func main() {
	var c *celsius
	read(c)
}
