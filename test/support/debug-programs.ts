/** Programs with debug information of every kind that compilers here write, built for a test and forgotten. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { releases } from '../../scripts/fidelity.d/toolchains.ts'
import type { ByteSource } from '../../src/engine/bytes/byte-source.ts'
import { openDebugInfo } from '../../src/engine/dwarf/open-debug-info.ts'
import { openElf } from '../../src/engine/elf/file.ts'

/** Structures, bit-fields, unions, enumerations, arrays of known and unknown length, inlining, static and shadowed names. */
export const cSource = `
#include <stdlib.h>
#include <string.h>
typedef unsigned long word;
enum color { RED, GREEN = 5, BLUE = -1 };
union both { int i; float f; char c[8]; };
struct bits { unsigned a : 3; unsigned b : 7; int c : 12; unsigned long d : 40; };
struct node {
  struct node *next; const char *name; enum color color; union both u; struct bits bits;
  word matrix[2][3]; int (*fn)(int, const char *); struct { int x, y; } in;
};
static int counter = 42;
volatile const double ratio = 1.5;
struct opaque;
static int twice(int v, const char *s) { return v * 2 + (int)strlen(s); }
static inline __attribute__((always_inline)) int inlined(struct node *n, int k) {
  int local = k * 3;
  if (n->next) local += 1;
  counter += local;
  return local + twice(k, n->name);
}
__attribute__((noinline)) int deep(struct node *n, int argc, struct opaque *o) {
  static int calls;
  int vla[argc + 2];
  for (int i = 0; i < argc + 2; i++) vla[i] = i * 7;
  calls++;
  int r = inlined(n, argc);
  if (r > 1) { int r = 99; counter += r; abort(); }
  return r + vla[argc];
}
int main(int argc, char **argv) {
  struct node n = { 0, "first", GREEN, { .f = 2.5f }, { 1, 100, -7, 123456789012UL },
    {{1,2,3},{4,5,6}}, twice, {7, 8} };
  return deep(&n, argc, 0) + (int)ratio;
}
`

/** Generics, closures, escapes, shadowing, embedded fields, named results, every kind of type. */
export const goSource = `package main

import (
	"fmt"
	"os"
	"time"
)

type base struct{ ID int64 }
type color uint8

const (
	red color = iota
	green
)

type shape interface{ area() float64 }
type square struct {
	base
	side  float64
	tags  map[string][]int
	queue chan<- string
	any   any
	shape shape
	next  *square
	grid  [2][3]complex128
	fn    func(int, ...string) (bool, error)
	at    time.Time
}

func (s *square) area() float64 { return s.side * s.side }

var squares = []*square{{side: 2}}

//go:noinline
func keep(v any) { fmt.Fprintln(os.Stderr, v) }

//go:noinline
func sum[T int | float64](values []T) (total T) {
	for i, v := range values {
		total += v
		keep(i)
	}
	return total
}

func small(a, b int) int { c := a + b; keep(c); return c * 2 }

func main() {
	x := 7
	escaped := square{side: 3}
	add := func(n int) int { x += n; escaped.side++; return x }
	if x := fmt.Sprint(x); len(x) > 0 {
		x := x + "!"
		keep(x)
	}
	keep(&escaped)
	keep(add(small(1, 2)))
	keep(sum([]int{1, 2}))
	keep(sum([]float64{1, 2}))
	var c color = green
	defer func() { keep(c) }()
	keep(squares[0].area())
}
`

export interface DebugPrograms extends Disposable {
  /** Path of a program in C; undefined where gcc can't build it so. */
  c(name: string, flags: readonly string[]): string | undefined
  /** Path of a program in Go; undefined where this version is not to be had. */
  go(version: string, flags?: readonly string[], env?: Readonly<Record<string, string>>): string | undefined
}

export function debugPrograms(): DebugPrograms {
  const dir = mkdtempSync(join(tmpdir(), 'gocore-debug-'))
  writeFileSync(join(dir, 'all.c'), cSource)
  writeFileSync(join(dir, 'main.go'), goSource)
  const run = (
    command: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): boolean =>
    spawnSync(command, args, { cwd: dir, env: { ...process.env, ...env }, stdio: 'ignore' }).status === 0
  return {
    c(name, flags) {
      const out = join(dir, name)
      return run('gcc', ['-o', out, ...flags, 'all.c']) ? out : undefined
    },
    go(version, flags = [], env = {}) {
      const out = join(
        dir,
        `go${version}-${flags.join('')}-${Object.values(env).join('')}`.replace(/[^\w.-]/g, '_'),
      )
      writeFileSync(join(dir, 'go.mod'), `module example.com/programs\n\ngo ${version}\n`)
      const toolchain = { GOTOOLCHAIN: `go${releases[version]}` }
      return run('go', ['build', '-buildvcs=false', '-o', out, ...flags, 'main.go'], { ...toolchain, ...env })
        ? out
        : undefined
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  }
}

/** Asks debug information for everything that it tells. Throws FormatError where that is damaged. */
export function lookThrough(file: ByteSource): void {
  const info = openDebugInfo(openElf(file), { types: 0x400000 })
  if (!info) return
  for (const name of info.functionNames())
    for (const func of info.findFunctions(name)) {
      const open = [func.scope()]
      for (let scope = open.pop(); scope; scope = open.pop()) {
        open.push(...scope.scopes)
        for (const variable of scope.variables) {
          variable.locations()
          variable.locationAt(func.low)
          const type = variable.type()
          if (type.kind === 'struct') for (const field of type.fields()) field.type()
        }
      }
      func.callSiteAt(func.low + 10)
    }
  for (const name of info.globalNames()) info.findGlobal(name)?.type()
  for (const name of info.typeNames()) info.findType(name)
  info.lineAt(0x1200)
  info.addressesOf('all.c', 20)
  void [...info.sources()].length
}
