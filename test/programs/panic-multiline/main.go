// A panic with a string of several lines, quotes and bytes that are not text.
package main

func main() {
	panic("first line\n\tsecond \"line\"\ngoroutine 99 [running]\nbytes: \xff\x01\x1b[31m")
}
