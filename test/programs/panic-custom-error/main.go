// A panic with an error type of the program's own, by pointer.
package main

type parseError struct {
	line int
	text string
}

func (e *parseError) Error() string { return "cannot parse " + e.text }

//go:noinline
func parse(text string) error { return &parseError{line: 3, text: text} }

func main() {
	if err := parse("<html>"); err != nil {
		panic(err)
	}
}
