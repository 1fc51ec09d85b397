/** Casts in a frame of C mean its compilation unit's types, in one of Go Go's: against gdb's `p` and `whatis`. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openDebugger } from '../../../src/engine/debugger.ts'
import { formatValue } from '../../../src/engine/value/format.ts'
import { takeCorePattern } from '../../support/core-pattern.ts'
import { processOf, whyNoCrashes } from '../../support/crashed-programs.ts'
import { gdbAnswers, haveGdb } from '../../support/gdb-answers.ts'

const skip = whyNoCrashes() ?? (haveGdb() ? false : 'needs gdb')
const work = mkdtempSync(join(tmpdir(), 'gocore-casts-'))
after(() => rmSync(work, { recursive: true, force: true }))

/** Two units that mean different things by the same names. */
const files = {
  'go.mod': 'module gocore.test/casts\n\ngo 1.26\n',
  'inner.c': `typedef short word; struct pair { char a, b; }; enum mood { CALM, ANGRY = 7 };
word inner_word; struct pair inner_pair; enum mood inner_mood;
int inner(long wide, void *any) { inner_word = 3; return *(volatile int *)8 + (int)wide + (any != 0); }
`,
  'outer.c': `typedef unsigned long word; struct pair { long a, b; };
word outer_word; struct pair outer_pair = {1, 2};
int inner(long wide, void *any);
int outer(long wide) { return inner(wide, &outer_pair) + (int)outer_word; }
`,
  'main.go': `package main
// #cgo CFLAGS: -g -O0
// int outer(long wide);
import "C"

//go:noinline
func call(n int) int { return int(C.outer(C.long(n))) }
func main() { println(call(0x123456789a)) }
`,
}
const [executable, core] = [join(work, 'casts'), join(work, 'casts.core')]

before(async () => {
  if (skip !== false) return
  for (const [name, text] of Object.entries(files)) writeFileSync(join(work, name), text)
  const env = { ...process.env, GOTOOLCHAIN: 'go1.26.8', CGO_ENABLED: '1' }
  const { status, stderr } = spawnSync('go', ['build', '-o', executable, '.'], { cwd: work, env })
  assert.equal(status, 0, String(stderr))
  using pattern = await takeCorePattern()
  pattern.set(join(work, 'core'))
  spawnSync('/bin/sh', ['-c', 'ulimit -c unlimited; exec "$0"', executable], {
    env: { GOTRACEBACK: 'crash' },
    cwd: work,
    stdio: 'ignore',
  })
  renameSync(join(work, 'core'), core)
})

const integers = [
  'char',
  'signed char',
  'unsigned char',
  'short',
  'unsigned short',
  'int',
  'unsigned',
  'long',
]
  .concat('unsigned int', 'long int', 'long unsigned int', 'long long', 'unsigned long long', 'word')
  .flatMap(type => [`(${type})wide`, `(${type})70000`, `sizeof(${type})`])
const expressions = [
  ...integers,
  ...['(int)-1', '(unsigned)-1', '(unsigned char)-1', '(long)-1', '(float)3', '(double)wide'],
  ...['(int)(wide >> 4)', '*(int *)&wide', '*(unsigned char *)&wide', '*(word *)&wide', '(float)wide'],
  ...['sizeof(struct pair)', '*(struct pair *)&wide', 'sizeof(double)', 'sizeof(long double)'],
]
/** gdb's own words for a value of C: no blank after a minus, a character behind its number, and no name of a struct. */
const plain = (text: string): string =>
  text
    .replace(/^\$\d+ = /, '')
    .replace(/ '[^']*'/g, '')
    .replace(/^struct pair /, '')
    .replace(/[{}]/g, '')
    .replaceAll(' = ', ': ')

test("casts in frames of C are gdb's", { skip }, () => {
  const debug = openDebugger(processOf({ core, executable }))
  const tid = debug.process.image.core.threads.find(thread => thread.crashed)!.tid
  const stack = debug.stack({ kind: 'thread', tid })
  for (const name of ['inner', 'outer']) {
    const frame = stack.frames.find(frame => frame.function === name)!
    const at = `frame function ${name}`
    const values = gdbAnswers(
      { core, executable },
      expressions.flatMap(text => [at, `p ${text}`]),
    )!
    const types = gdbAnswers(
      { core, executable },
      expressions.flatMap(text => [at, `whatis ${text}`]),
    )!
    expressions.forEach((text, n) => {
      const value = debug.evaluate(text, { stack, frame })
      const [ours, theirs] = [formatValue(debug.load(value)), values[2 * n + 1]!.trim()].map(plain)
      // The same number, which gdb may write with an exponent.
      if (value.type.kind === 'float')
        assert.equal(Math.fround(Number(ours)), Math.fround(Number(theirs)), text)
      else assert.equal(ours, theirs, `${text} in ${name}`)
      if (!text.startsWith('sizeof'))
        assert.equal(
          `type = ${debug.typeOf(text, { stack, frame }).name}`,
          types[2 * n + 1]!.trim(),
          `${text} in ${name}`,
        )
    })
  }
})

test("casts in frames of Go are Go's", { skip }, () => {
  const debug = openDebugger(processOf({ core, executable }))
  const tid = debug.process.image.core.threads.find(thread => thread.crashed)!.tid
  const stack = debug.stack({ kind: 'thread', tid })
  const frame = stack.frames.find(frame => frame.function === 'main.call')!
  for (const [text, size] of [
    ['int(70000)', 8],
    ['(int)70000', 8],
    ['uint(1)', 8],
    ['(int32)1', 4],
  ] as const) {
    const { type } = debug.evaluate(text, { stack, frame })
    assert.deepEqual([type.language, type.size], ['go', size], text)
  }
  assert.equal(debug.typeOf('(*int)(8)', { stack, frame }).name, '*int')
})
