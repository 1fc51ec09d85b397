// Command midway grows a map over and over until it is killed, and counts in n what it has put in.
package main

var n int
var m map[any]string

func main() {
	words := []string{"zero", "one", "two"}
	for {
		n = 0
		m = map[any]string{}
		for i := 0; i < 1<<15; i++ {
			if i%2 == 0 {
				m[i] = words[i%3]
			} else {
				m[[2]int{i, i * 2}] = words[i%3]
			}
			n = i + 1
		}
	}
}
