import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FormatError } from '../../../src/base/errors.ts'
import { Cursor, fixedText } from '../../../src/engine/bytes/cursor.ts'

const origin = { file: 'x', section: 'notes', littleEndian: true, ptrSize: 8 }
const cursor = (...bytes: number[]): Cursor => new Cursor(Uint8Array.from(bytes), origin)

test('a read past the end names file, section and byte, and does not move', () => {
  const c = cursor(1, 2, 3)
  c.u8()
  assert.throws(
    () => c.u32(),
    (error: unknown) =>
      error instanceof FormatError && error.file === 'x' && error.section === 'notes' && error.offset === 1,
  )
  assert.equal(c.at, 1)
  assert.equal(c.u16(), 0x0302)
  assert.ok(c.done)
})

test('cstring() consumes the NUL', () => {
  const c = cursor(0x61, 0x62, 0, 7)
  assert.equal(c.cstring(), 'ab')
  assert.equal(c.u8(), 7)
  assert.throws(() => cursor(0x61).cstring(), FormatError)
})

test('uvarint() is the inverse of Go’s PutUvarint', () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), n => {
      const bytes: number[] = []
      let rest = BigInt(n)
      for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
      bytes.push(Number(rest))
      assert.equal(cursor(...bytes, 0xff).uvarint(), n)
    }),
  )
})

test('uvarint() refuses what does not end', () => {
  assert.throws(() => cursor(...new Array(11).fill(0x80)).uvarint(), FormatError)
})

test('fixedText() stops at the first NUL', () => {
  assert.equal(fixedText(Uint8Array.from([0x67, 0x6f, 0, 0x78])), 'go')
  assert.equal(fixedText(Uint8Array.from([0x67, 0x6f])), 'go')
})
