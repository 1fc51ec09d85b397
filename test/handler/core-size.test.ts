import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { CoreSize } from '../../src/handler/core-size.ts'

interface Segment {
  type: number
  offset: number
  size: number
}

/** The head of a 64-bit little-endian core: ELF header and program headers. */
function head(segments: Segment[], options: { phnum?: number; shoff?: number } = {}): Buffer {
  const bytes = Buffer.alloc(64 + 56 * segments.length)
  bytes.write('\x7fELF\x02\x01\x01', 'latin1')
  bytes.writeUInt16LE(4, 16) // ET_CORE
  bytes.writeBigUInt64LE(64n, 32) // e_phoff
  bytes.writeBigUInt64LE(BigInt(options.shoff ?? 0), 40)
  bytes.writeUInt16LE(56, 54) // e_phentsize
  bytes.writeUInt16LE(options.phnum ?? segments.length, 56)
  bytes.writeUInt16LE(64, 58) // e_shentsize
  segments.forEach(({ type, offset, size }, i) => {
    const at = 64 + 56 * i
    bytes.writeUInt32LE(type, at)
    bytes.writeBigUInt64LE(BigInt(offset), at + 8)
    bytes.writeBigUInt64LE(BigInt(size), at + 32)
  })
  return bytes
}

const feed = (bytes: Buffer, pieces: number[] = []): CoreSize => {
  const size = new CoreSize()
  let at = 0
  for (const piece of pieces) {
    size.feed(bytes.subarray(at, at + piece))
    at += piece
  }
  size.feed(bytes.subarray(at))
  return size
}

const core = head([
  { type: 4, offset: 64 + 56 * 3, size: 2000 },
  { type: 1, offset: 8192, size: 4096 },
  { type: 1, offset: 4096, size: 1000 },
])

describe('CoreSize', () => {
  test('is the end of the last segment in the file, whatever the order', () => {
    assert.equal(feed(core).expected, 12288)
    fc.assert(
      fc.property(fc.array(fc.nat(90), { maxLength: 30 }), pieces => {
        assert.equal(feed(core, pieces).expected, 12288)
      }),
    )
  })

  test('is not known before the last header came', () => {
    const size = feed(core.subarray(0, core.length - 1))
    assert.deepEqual([size.done, size.expected], [false, undefined])
  })

  test('of more than 65 534 segments counts the headers up to the notes, and the section header behind the data', () => {
    const count = 70_000
    const segments = Array.from({ length: count }, (_, i) => ({
      type: 1,
      offset: 8_000_000 + i * 4096,
      size: 4096,
    }))
    segments[0] = { type: 4, offset: 64 + 56 * count, size: 5000 }
    const shoff = 8_000_000 + count * 4096
    assert.equal(feed(head(segments, { phnum: 0xffff, shoff })).expected, shoff + 64)
  })

  test('of what is no core is not known', () => {
    for (const bytes of [Buffer.alloc(200), Buffer.from('#!/bin/sh\n'.repeat(20)), head([])])
      assert.equal(feed(bytes).expected, undefined)
  })

  test('never throws and holds next to nothing', () => {
    fc.assert(
      fc.property(fc.nat(core.length - 1), fc.nat(255), (at, value) => {
        const bytes = Buffer.concat([core, Buffer.alloc(1000)])
        bytes[at] = value
        const { expected } = feed(bytes, [7, 64, 100])
        assert.ok(expected === undefined || Number.isSafeInteger(expected))
      }),
      { numRuns: 400 },
    )
  })
})
