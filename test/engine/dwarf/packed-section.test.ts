import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { DataReader } from '../../../src/engine/dwarf/data-reader.ts'
import { blockSize, openPacked, packSection } from '../../../src/engine/dwarf/packed-section.ts'

/** Text and numbers over a little more than four blocks. */
const section = Uint8Array.from({ length: 4 * blockSize + 77 }, (_, i) =>
  i % 97 === 96 ? 0 : (i * 7 + (i >>> 9)) & 255,
)
const key = 'a section'

test('a reader over blocks reads what one over the section does', () => {
  const packed = new Uint8Array(Buffer.concat([...packSection(section, key)]))
  const plain = new DataReader(section, true, 'file', 'plain')
  fc.assert(
    fc.property(fc.array(fc.nat(section.length - 1), { maxLength: 20 }), spots => {
      const blocks = new DataReader(openPacked(packed, key)!, true, 'file', 'blocks')
      for (const at of spots) {
        for (const read of [
          (reader: DataReader) => reader.uint(4),
          (reader: DataReader) => reader.uleb(),
          (reader: DataReader) => reader.text(),
          (reader: DataReader) => crc32(reader.take(Math.min(2 * blockSize + 9, section.length - at))),
        ]) {
          plain.at = blocks.at = at
          assert.deepEqual(
            tried(() => read(blocks)),
            tried(() => read(plain)),
          )
          assert.equal(blocks.at, plain.at)
        }
      }
    }),
    { numRuns: 30 },
  )
})

test('openPacked() refuses what is of another section or damaged, and a damaged block is empty', () => {
  const packed = new Uint8Array(Buffer.concat([...packSection(section, key)]))
  assert.equal(openPacked(packed, 'another'), undefined)
  assert.equal(openPacked(packed.subarray(0, packed.length - 1), key), undefined)
  const damaged = packed.slice()
  // The last byte of the last block, before the table of five and the footer.
  damaged[packed.length - 1 - 5 * 8 - 6 * 4]! ^= 1
  const opened = openPacked(damaged, key)
  assert.equal(opened?.block(4).length, 0)
  assert.equal(opened?.block(0).length, blockSize)
  fc.assert(
    fc.property(fc.nat(200), fc.integer({ min: 1, max: 255 }), (at, bits) => {
      const flipped = packed.slice()
      flipped[flipped.length - 1 - at]! ^= bits
      for (let n = 0; n < 5; n++) openPacked(flipped, key)?.block(n)
    }),
  )
})

function tried<T>(action: () => T): T | string {
  try {
    return action()
  } catch (error) {
    return (error as Error).name
  }
}
