// An integer divided by zero.
package main

//go:noinline
func share(total, people int) int { return total / people }

func main() {
	share(100, 0)
}
