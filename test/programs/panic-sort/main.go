// A panic in a comparison that package sort calls.
package main

import "sort"

type byAge []int

func (b byAge) Len() int           { return len(b) }
func (b byAge) Swap(i, j int)      { b[i], b[j] = b[j], b[i] }
func (b byAge) Less(i, j int) bool { return b[i] < b[j+100] }

func main() {
	sort.Sort(sort.Reverse(byAge{3, 1, 2}))
}
