import assert from 'node:assert/strict'
import { test } from 'node:test'
import { amd64 } from '../../../src/engine/arch/amd64.ts'
import { bytesSource } from '../../../src/engine/bytes/byte-source.ts'
import { SplicedMemory } from '../../../src/engine/core/memory.ts'
import { labelsInState, readLabels } from '../../../src/engine/runtime/labels.ts'

const base = 0x1000

/** Words, and texts of which the address goes into a word: `[text]` lays pointer and length. */
function lay(size: number, words: Record<number, number | [string]>): SplicedMemory {
  const bytes = Buffer.alloc(size + 4096)
  let end = size
  for (const [at, word] of Object.entries(words)) {
    if (typeof word === 'number') bytes.writeBigUInt64LE(BigInt(word), Number(at))
    else {
      bytes.writeBigUInt64LE(BigInt(base + end), Number(at))
      bytes.writeBigUInt64LE(BigInt(word[0].length), Number(at) + 8)
      end += bytes.write(word[0], end)
    }
  }
  const region = { start: base, end: base + bytes.length, offset: 0, origin: 'core' as const }
  return new SplicedMemory([{ ...region, source: bytesSource('labels', bytes) }], amd64)
}

test('readLabels() reads the list of Go 1.24 and later', () => {
  const memory = lay(256, { 0: base + 64, 8: 2, 64: ['role'], 80: ['main'], 96: ['tenant'], 112: ['acme'] })
  assert.deepEqual(readLabels(memory, base, 26), [
    ['role', 'main'],
    ['tenant', 'acme'],
  ])
})

test('readLabels() reads the map of Go before 1.24', () => {
  // *map; hmap: count, flags and B, buckets; one bucket: tophash, keys, values, overflow.
  const memory = lay(1024, {
    ...{ 0: base + 16, 16: 1, 24: 0, 32: base + 128 },
    128: 0x7700,
    ...{ [128 + 8 + 16]: ['tenant'], [128 + 8 + 128 + 16]: ['acme'] },
  })
  assert.deepEqual(readLabels(memory, base, 23), [['tenant', 'acme']])
})

test('readLabels() has none where memory is damaged', () => {
  const memory = lay(64, { 0: 0xdead0000, 8: 3 })
  assert.deepEqual(readLabels(memory, base, 26), [])
  assert.deepEqual(readLabels(memory, base, 20), [])
  assert.deepEqual(readLabels(memory, 0, 26), [])
  assert.deepEqual(readLabels(lay(64, { 0: base, 8: 2 ** 40 }), base, 26), [])
})

test('labelsInState() quotes as Go 1.26 does', () => {
  assert.equal(labelsInState([]), '')
  assert.equal(
    labelsInState([
      ['step', 'two\nlines'],
      ['q', '"\\\x01\x7fé😀'],
    ]),
    String.raw` labels:{"step": "two\nlines", "q": "\"\\\x01\u007f\u00e9\U0001f600"}`,
  )
})
