package main

import (
	"fmt"
	"math/rand"
	"time"
)

var messages = [...]string{
	"There's something that doesn't make sense. Let's go and poke it with a stick.",
	"We're all stories, in the end.",
	"Bow ties are cool.",
	"One may tolerate a world of demons for the sake of an angel.",
	"You want weapons? We’re in a library! Books! The best weapons in the world!",
	"Do what I do. Hold tight and pretend it’s a plan!",
}

func producer(ch chan<- string) {
	for {
		time.Sleep(time.Second * time.Duration(rand.Intn(4))) // simulate some work
		ch <- messages[rand.Intn(len(messages)-1)]
	}
}

func main() {
	ch := make(chan string)
	go producer(ch)

	for {
		select {
		case message := <-ch:
			fmt.Println(message)
		case <-time.After(time.Second * 3):
			panic("I'm panicking because of timeout!")
		}
	}
}

// The program of the article "Go Post-mortem", line for line: it panics when its producer takes too long.
