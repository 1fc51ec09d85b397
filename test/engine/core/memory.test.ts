import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MemoryFault } from '../../../src/base/errors.ts'
import { bytesSource } from '../../../src/engine/bytes/byte-source.ts'
import { type Region, SplicedMemory, splice } from '../../../src/engine/core/memory.ts'

const region = (start: number, bytes: number[], origin: Region['origin'] = 'core'): Region => ({
  ...{ start, end: start + bytes.length, offset: 0, origin },
  source: bytesSource(origin, Uint8Array.from(bytes)),
})
const little = { ptrSize: 8, littleEndian: true } as const

test('splice() fills gaps only, each byte from its own place', () => {
  const upper = [region(4, [40, 50]), region(8, [80])]
  const lower = [region(2, [2, 3, 4, 5, 6, 7, 8, 9], 'file')]
  const memory = new SplicedMemory(splice(upper, lower), little)
  assert.deepEqual([...memory.read(2, 8)], [2, 3, 40, 50, 6, 7, 80, 9])
})

test('splice() keeps what is above, and is sorted and free of overlaps', () => {
  const place = fc.tuple(fc.nat(200), fc.integer({ min: 1, max: 30 }))
  const layer = fc.array(place, { maxLength: 8 }).map(places => {
    const map = new Map<number, Region>()
    let last = 0
    for (const [start, size] of places.sort(([a], [b]) => a - b)) {
      if (start < last) continue
      map.set(start, region(start, new Array<number>(size).fill(0)))
      last = start + size
    }
    return [...map.values()]
  })
  fc.assert(
    fc.property(layer, layer, (upper, lower) => {
      const result = splice(upper, lower)
      for (const [i, r] of result.entries()) assert.ok(i === 0 || result[i - 1]!.end <= r.start)
      const holds = (regions: readonly Region[], at: number): boolean =>
        regions.some(r => r.start <= at && at < r.end)
      for (let at = 0; at < 240; at++) assert.equal(holds(result, at), holds(upper, at) || holds(lower, at))
      for (const r of upper) assert.ok(result.includes(r))
    }),
  )
})

test('values across two regions, and across two blocks, are whole', () => {
  const bytes = Array.from({ length: 0x10010 }, (_, i) => i & 0xff)
  const memory = new SplicedMemory([region(0, bytes), region(0x10010, [1, 2, 3, 4, 5, 6, 7, 8])], little)
  assert.equal(memory.u32(0xfffe), 0x0100fffe)
  assert.equal(memory.u64(0x1000c), 0x040302010f0e0d0cn)
  assert.equal(memory.word(0x10010), Infinity)
  assert.equal(memory.word(4), Infinity)
})

test('read() ends for addresses and lengths that are no whole bytes', () => {
  const memory = new SplicedMemory([region(0x1000, [1, 2, 3, 4]), region(0x1004, [5, 6])], little)
  for (const [addr, length] of [
    [0x1000, 1.5],
    [0x1000, 0.25],
    [0x1003 + 0.8, 1],
    [0x1000, Number.NaN],
    [0x1000, -1],
    [Number.NaN, 1],
    [Number.POSITIVE_INFINITY, 1],
    [-1, 2],
  ] as const) {
    assert.throws(() => memory.read(addr, length), MemoryFault)
    assert.equal(memory.tryRead(addr, length), undefined)
    assert.equal(memory.has(addr, length), false)
  }
  assert.deepEqual([...memory.read(0x1003, 2)], [4, 5])
})

test('word() is exact below 2^53 and Infinity above, in both byte orders and sizes', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.boolean(), (value, littleEndian) => {
      const view = new DataView(new ArrayBuffer(8))
      view.setBigUint64(0, value, littleEndian)
      const bytes = [...new Uint8Array(view.buffer)]
      const memory = new SplicedMemory([region(16, bytes)], { ptrSize: 8, littleEndian })
      assert.equal(memory.word(16), value < 2n ** 53n ? Number(value) : Infinity)
      assert.equal(memory.u64(16), value)
    }),
  )
  const memory = new SplicedMemory([region(0, [0, 0, 1, 2])], { ptrSize: 4, littleEndian: false })
  assert.equal(memory.word(0), 0x102)
})

test('what is not there is a MemoryFault with its address', () => {
  const memory = new SplicedMemory([region(16, [1, 2, 3, 4])], little)
  for (const read of [
    () => memory.u8(15),
    () => memory.u32(18),
    () => memory.read(16, 5),
    () => memory.word(Number.NaN),
  ])
    assert.throws(read, MemoryFault)
  assert.throws(() => memory.u8(Infinity), MemoryFault)
  assert.equal(memory.has(16, 4), true)
  assert.equal(memory.has(16, 5), false)
  assert.equal(memory.has(Infinity, 1), false)
  assert.equal(memory.has(16, -1), false)
  assert.equal(memory.tryRead(12, 8), undefined)
})

test('a source that ends early is a fault, not zeros', () => {
  const short: Region = { ...region(0, [1, 2]), end: 100 }
  const memory = new SplicedMemory([short], little)
  assert.equal(memory.u16(0), 0x201)
  assert.throws(() => memory.u8(2), MemoryFault)
  assert.throws(() => memory.read(0, 50), MemoryFault)
})
