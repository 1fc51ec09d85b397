// SIGQUIT from outside, all quiet.
package main

import "gocore.test/programs/internal/outside"

func main() {
	outside.Kill("SIGQUIT")
}
