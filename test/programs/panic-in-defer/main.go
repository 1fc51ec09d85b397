// A deferred call panics while the first panic unwinds.
package main

func cleanup(name string) { panic("cleanup of " + name) }

func main() {
	defer cleanup("files")
	panic("first")
}
