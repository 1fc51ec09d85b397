// A panic with a string, in a function of some arguments.
package main

//go:noinline
func withdraw(account string, amount int) int {
	if amount > 100 {
		panic("not enough money in " + account)
	}
	return amount
}

func main() {
	withdraw("savings", 101)
}
