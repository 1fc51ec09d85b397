// Ballast is a program that is worth dumping: `ballast FILE MEGABYTES` fills memory with what can't be compressed, writes
// into FILE when it dies (microseconds since 1970), how many pages it has and the SHA-256 of all of them, and dies of a nil
// map. Each page begins with the program's name and its number, so that judge.ts finds them again in a core.
package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

const pageSize = 4096

func fill(page []byte, name string, number int) {
	state := uint64(number)*0x9e3779b97f4a7c15 + uint64(os.Getpid()) + 1
	for at := 0; at < pageSize; at += 8 {
		state ^= state << 13
		state ^= state >> 7
		state ^= state << 17
		binary.LittleEndian.PutUint64(page[at:], state)
	}
	copy(page, fmt.Sprintf("page of %-16s%08d", name, number))
}

func main() {
	name := filepath.Base(os.Args[0])
	megabytes, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	pages := megabytes << 20 / pageSize
	// The first pages of a large slice begin where pages of the machine do.
	memory := make([]byte, pages*pageSize)
	for number := range pages {
		fill(memory[number*pageSize:][:pageSize], name, number)
	}
	digest := sha256.Sum256(memory)
	text := fmt.Sprintf("%d %d %x\n", time.Now().UnixMicro(), pages, digest)
	if err := os.WriteFile(os.Args[1], []byte(text), 0o600); err != nil {
		panic(err)
	}
	var stock map[string]int
	stock[name] = len(memory)
}
