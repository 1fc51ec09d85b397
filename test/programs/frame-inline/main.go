// Calls inlined to a depth of five, in other packages' functions too, and a panic in the innermost.
package main

import "strings"

type grid struct{ cells []int }

func (g *grid) at(i int) int        { return g.cells[i] }
func (g *grid) cell(x, y int) int   { return g.at(x + 10*y) }
func (g *grid) right(x, y int) int  { return g.cell(x+1, y) }
func (g *grid) corner(x, y int) int { return g.right(x, y+1) }
func around(g *grid, n int) int     { return g.corner(n, n) + g.corner(n+1, n) }

//go:noinline
func walk(g *grid, n int) int {
	total := 0
	for i := 0; i < n; i++ {
		total += around(g, i)
	}
	return total
}

func main() {
	g := &grid{make([]int, 40)}
	strings.Map(func(r rune) rune { walk(g, int(r-'0')); return r }, "129")
}
