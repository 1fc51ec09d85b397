// Panics within panics, four deep.
package main

//go:noinline
func fall(level int) {
	defer func() {
		if level > 1 {
			fall(level - 1)
		}
	}()
	panic(level)
}

func main() {
	fall(4)
}
