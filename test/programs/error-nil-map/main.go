// An assignment to an entry of a nil map.
package main

type cache struct{ items map[string]int }

//go:noinline
func (c *cache) put(key string, value int) { c.items[key] = value }

func main() {
	c := &cache{}
	c.put("user:17", 1)
}
