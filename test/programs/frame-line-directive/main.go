// A file whose lines are said to come from another, as generated code does.
package main

//go:noinline
func parse(text string) int {
//line grammar.y:120
	if text == "" {
		panic("empty")
	}
//line /generated/other.go:7:3
	return parse(text[1:])
}

//line main.go:200
func main() {
	parse("ab")
}
