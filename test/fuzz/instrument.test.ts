import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { runInNewContext } from 'node:vm'
import { countersName, instrument } from '../../scripts/fuzz.d/instrument.ts'
import { formatUnreached } from '../../scripts/fuzz.d/unreached.ts'

/** Runs a script with counters; answers its value and how often each was hit. */
function run(text: string): { value: unknown; hits: number[] } {
  const counters = new Uint32Array(64)
  const { text: counted, lines } = instrument(text, 2)
  const value = runInNewContext(counted, { [countersName]: counters })
  return { value, hits: [...counters.subarray(2, 2 + lines.length)].sort((a, b) => a - b) }
}

test('instrument() counts functions, branches, loops, cases, defaults and handlers, and changes no value', () => {
  const cases: [string, unknown, number[]][] = [
    ['const f = (a, b = 2) => a + b; f(1) + f(1, 5)', 9, [1, 2]],
    ['let n = 0; for (const i of [1, 2, 3]) if (i > 1) n++; else n--; n', 1, [1, 2, 3]],
    ['(x => x ? { a: x } : x ?? 7)(undefined)', 7, [0, 1, 1, 1]],
    ['(x => { switch (x) { case 1: case 2: return "few"; default: return "many" } })(2)', 'few', [0, 1, 1]],
    ['(() => { try { throw 1 } catch { return 2 } })()', 2, [1, 1]],
    ['let s = ""; while (s.length < 3) s += s === "" || s === "a" ? "a" : "b"; s', 'aab', [1, 2, 2, 3]],
    ['(() => { if (0) return 1; else if (1) return 2 })()', 2, [0, 1, 1, 1]],
  ]
  for (const [text, value, hits] of cases) assert.deepEqual(run(text), { value, hits }, text)
})

test('instrument() keeps lines where they are, and tells the words', () => {
  const text = `const a = 0x1f\nconst b = 12n\nif (a === 3)\n  throw new Error('no good')\n`
  const { text: counted, words, lines } = instrument(text, 0)
  assert.equal(counted.split('\n').length, text.split('\n').length)
  assert.match(counted.split('\n')[3]!, /throw new Error/)
  assert.deepEqual(new Set(words), new Set([0x1fn, 12n, 3n, 'no good']))
  assert.deepEqual(lines, [4])
})

test('instrument() takes this project’s modules', () => {
  const path = join(import.meta.dirname, '../../src/engine/dwarf/location.ts')
  const { lines } = instrument(stripTypeScriptTypes(readFileSync(path, 'utf8')), 0)
  assert.ok(lines.length > 40, `${lines.length} counters`)
})

test('formatUnreached() tells the lines that none of the targets came to', () => {
  const text = formatUnreached([
    { path: 'b.ts', lines: [3, -8, -9, -9] },
    { path: 'a.ts', lines: [1, 2] },
    { path: 'b.ts', lines: [-3, -8, 9, -9] },
  ])
  assert.equal(text, 'a.ts 2 of 2\nb.ts 2 of 4: 8 9\n')
})
