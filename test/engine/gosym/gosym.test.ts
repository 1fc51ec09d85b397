import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { funcNameForPrint, isExportedRuntime, printedFuncName } from '../../../src/engine/gosym/func-name.ts'
import { decodePcTable, pcValue } from '../../../src/engine/gosym/pc-value.ts'
import { parseGoVersion } from '../../../src/engine/runtime/go-version.ts'

test('funcNameForPrint() puts [...] for type arguments as each version does', () => {
  const rows: [name: string, minor: number, printed: string][] = [
    ['main.(*T).put', 26, 'main.(*T).put'],
    ['main.apply[go.shape.int]', 26, 'main.apply[...]'],
    ['main.(*List[go.shape.[]uint8]).Push', 26, 'main.(*List[...]).Push'],
    ['main.(*List[go.shape.[]uint8]).Push', 27, 'main.(*List[...]).Push'],
    ['main.Map[go.shape.int].With[go.shape.string]', 26, 'main.Map[...]'],
    ['main.Map[go.shape.int].With[go.shape.string]', 27, 'main.Map[...].With[...]'],
    ['main.(*M[go.shape.[]int]).With[go.shape.[]string].func1', 27, 'main.(*M[...]).With[...].func1'],
    ['main.odd]x[', 27, 'main.odd]x['],
    ['main.odd[', 27, 'main.odd['],
  ]
  for (const [name, minor, printed] of rows) assert.equal(funcNameForPrint(name, minor), printed, name)
  assert.equal(printedFuncName('runtime.gopanic', 19), 'panic')
})

test('isExportedRuntime() looks at receivers from Go 1.23 on', () => {
  const rows: [string, number, boolean][] = [
    ['runtime.GC', 19, true],
    ['runtime.gopanic', 26, false],
    ['runtime.(*Func).Name', 22, false],
    ['runtime.(*Func).Name', 23, true],
    ['runtime.(*mheap).Alloc', 23, false],
    ['main.GC', 26, false],
  ]
  for (const [name, minor, exported] of rows) assert.equal(isExportedRuntime(name, minor), exported, name)
})

test('a pc table answers as its encoder laid it', () => {
  const run = fc.record({
    value: fc.integer({ min: -100, max: 1 << 20 }),
    length: fc.integer({ min: 1, max: 5000 }),
  })
  fc.assert(
    fc.property(fc.array(run, { minLength: 1, maxLength: 50 }), fc.constantFrom(1, 2, 4), (runs, quantum) => {
      const bytes = [0xaa]
      let last = -1
      for (const { value, length } of runs) {
        // Only the first delta may be 0; the linker joins equal runs.
        const next = value === last ? value + 1 : value
        bytes.push(...varint(((next - last) << 1) ^ ((next - last) >> 31)), ...varint(length))
        last = next
      }
      bytes.push(0)
      const table = decodePcTable(Uint8Array.from(bytes), 1, quantum)
      let [at, value] = [0, -1]
      for (const run of runs) {
        value = run.value === value ? value + 1 : run.value
        assert.equal(pcValue(table, at), value)
        at += run.length * quantum
        assert.equal(pcValue(table, at - 1), value)
      }
      assert.equal(pcValue(table, at), -1)
    }),
  )
})

test('a pc table of any bytes ends', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(250), (bytes, offset) => {
      const { ends, values } = decodePcTable(bytes, offset, 1)
      assert.equal(ends.length, values.length)
      assert.ok(ends.length <= bytes.length)
    }),
  )
})

test('parseGoVersion() reads releases, candidates and development versions', () => {
  const rows: [string, number | undefined, number | undefined][] = [
    ['go1.26.8', 26, 8],
    ['go1.27rc1 X:nodwarf5', 27, 0],
    ['devel go1.28-3f2a9c1 Mon', 28, 0],
    ['gollvm', undefined, undefined],
  ]
  for (const [text, minor, patch] of rows) {
    const version = parseGoVersion(text)
    assert.deepEqual([version?.minor, version?.patch], [minor, patch], text)
  }
})

function varint(n: number): number[] {
  const bytes: number[] = []
  let rest = n >>> 0
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80)
  bytes.push(rest)
  return bytes
}
