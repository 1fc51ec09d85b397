// Command cgo-frames dies in C that Go called: by a bad address, or with an argument, by abort(3).
package main

/*
#include <stdlib.h>
#include <string.h>

struct box { int n; const char *name; struct box *next; };
enum mood { CALM, ANGRY = 7 };

int c_global = 77;
static int hidden = 5;
struct box last = { 3, "last", 0 };

static inline __attribute__((always_inline)) int poke(struct box *b, int by) {
  int twice = by * 2;
  b->n += twice;
  return *(volatile int *)(long)(b->n == 12345 ? 0 : 16) + twice;
}

static __attribute__((noinline)) int deep(struct box *b, enum mood mood, double ratio) {
  struct box own = { 41, "own", &last };
  char text[16];
  strcpy(text, "in deep");
  int r = poke(&own, (int)mood + b->n);
  return r + text[0] + (int)ratio + hidden++;
}

int entry(int depth, int how) {
  struct box b = { depth, "from entry", 0 };
  c_global++;
  if (how) abort();
  return deep(&b, ANGRY, 2.5) + b.n;
}
*/
import "C"

import "os"

//go:noinline
func call(n int) int { return int(C.entry(C.int(n), C.int(len(os.Args)-1))) }

func main() { println(call(4)) }
