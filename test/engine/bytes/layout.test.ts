import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { copyOf, record, viewOf } from '../../../src/engine/bytes/layout.ts'
import {
  Ehdr32,
  Ehdr64,
  Nhdr,
  Phdr32,
  Phdr64,
  Shdr32,
  Shdr64,
  Sym32,
  Sym64,
} from '../../../src/engine/elf/records.ts'

test('the records of ELF have the sizes of the specification', () => {
  const sizes = [
    [Ehdr64, 48],
    [Ehdr32, 36],
    [Phdr64, 56],
    [Phdr32, 32],
    [Shdr64, 64],
    [Shdr32, 40],
    [Sym64, 24],
    [Sym32, 16],
    [Nhdr, 12],
  ] as const
  for (const [layout, size] of sizes) assert.equal(layout.size, size)
})

test('record() aligns fields as C does', () => {
  const layout = record({ a: 'u8', b: 'u32', c: 'u16', d: 'u64' })
  assert.deepEqual(layout.offsets, { a: 0, b: 4, c: 8, d: 16 })
  assert.equal(layout.size, 24)
})

test('record() reads back what it wrote, in either byte order', () => {
  const layout = record({ a: 'u8', b: 'i32', c: 'u16', d: 'u64' })
  const value = fc.record({
    a: fc.integer({ min: 0, max: 255 }),
    b: fc.integer(),
    c: fc.integer({ min: 0, max: 65535 }),
    d: fc.maxSafeNat(),
  })
  fc.assert(
    fc.property(value, fc.boolean(), (written, little) => {
      const view = new DataView(new ArrayBuffer(layout.size + 3))
      layout.write(view, 3, little, written)
      assert.deepEqual(layout.read(view, 3, little), { ...written })
    }),
  )
})

test('copyOf() does not share memory with a Node Buffer', () => {
  const buffer = Buffer.from([1, 2, 3])
  const copy = copyOf(buffer)
  buffer[0] = 9
  assert.equal(copy[0], 1)
  assert.equal(viewOf(copy).byteLength, 3)
})
