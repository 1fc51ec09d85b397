import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LineTable } from '../../../src/engine/dwarf/line-table.ts'
import type { ElfFile } from '../../../src/engine/elf/file.ts'

/** A file that has these sections and nothing else. */
function elfWith(sections: Readonly<Record<string, Uint8Array>>): ElfFile {
  const section = (name: string) => (sections[name] ? { bytes: () => sections[name]! } : undefined)
  const header = { littleEndian: true, ptrSize: 8 }
  return { section, header, source: { name: 'test' } } as unknown as ElfFile
}

const text = (value: string): number[] => [...new TextEncoder().encode(value), 0]
const u16 = (value: number): number[] => [value & 255, value >> 8]
const u32 = (value: number): number[] => [...u16(value & 0xffff), ...u16(value >>> 16)]
const u64 = (value: number): number[] => [...u32(value), 0, 0, 0, 0]
const lengths = [0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1]

/** line_base -5, line_range 14, opcode_base 13, as gcc and clang write them. */
function unit(version: number, tables: number[]): Uint8Array {
  const counting = [1, ...(version >= 4 ? [1] : []), 1, 0xfb, 14, 13, ...lengths, ...tables]
  const program = [
    ...[0, 9, 2, ...u64(0x4000)], // DW_LNE_set_address
    ...[3, 9, 1], // advance_line 9; copy: 0x4000 is line 10
    13 + 14 * 4 + 5 + 2, // special: 4 bytes on, 2 lines on
    ...[4, 2, 2, 8, 3, 0x7d, 1], // set_file 2; advance_pc 8; advance_line -3; copy
    ...[2, 16, 0, 1, 1], // advance_pc 16; end_sequence
  ]
  const body = [
    ...u16(version),
    ...(version === 5 ? [8, 0] : []),
    ...u32(counting.length),
    ...counting,
    ...program,
  ]
  return Uint8Array.from([...u32(body.length), ...body])
}

const version4 = unit(4, [...text('/usr/src'), 0, ...text('a.c'), 1, 0, 0, ...text('b.h'), 0, 0, 0, 0])
// Formats: directories by DW_FORM_line_strp, files by DW_FORM_string and DW_FORM_udata.
const version5 = unit(5, [
  ...[1, 1, 0x1f, 2, ...u32(0), ...u32(4)],
  ...[2, 1, 0x08, 2, 0x0b, 3, ...text('a.c'), 0, ...text('a.c'), 0, ...text('b.h'), 1],
])
const lineStr = Uint8Array.from([...text('/ab'), ...text('sub')])

test('find gives the row that holds an address', () => {
  const lines = new LineTable(elfWith({ '.debug_line': version4 }))
  assert.equal(lines.find(0x3fff), undefined)
  assert.deepEqual(lines.find(0x4000), { file: '/usr/src/a.c', line: 10 })
  assert.deepEqual(lines.find(0x4003), { file: '/usr/src/a.c', line: 10 })
  assert.deepEqual(lines.find(0x4004), { file: '/usr/src/a.c', line: 12 })
  assert.deepEqual(lines.find(0x400c), { file: 'b.h', line: 9 })
  assert.deepEqual(lines.find(0x401b), { file: 'b.h', line: 9 })
  assert.equal(lines.find(0x401c), undefined)
})

test('find reads the tables of version 5, whose files count from 0', () => {
  const lines = new LineTable(elfWith({ '.debug_line': version5, '.debug_line_str': lineStr }))
  assert.deepEqual(lines.find(0x4000), { file: '/ab/a.c', line: 10 })
  assert.deepEqual(lines.find(0x400c), { file: '/ab/sub/b.h', line: 9 })
})

test('find passes over a unit that it cannot read', () => {
  const other = version4.slice()
  other[4] = 77
  const both = new Uint8Array([...other, ...version4])
  assert.equal(new LineTable(elfWith({ '.debug_line': both })).find(0x4000)?.line, 10)
})

test('find bears any bytes', () => {
  const flip = fc.tuple(fc.nat(version5.length - 1), fc.integer({ min: 0, max: 255 }))
  fc.assert(
    fc.property(fc.constantFrom(version4, version5), fc.array(flip, { maxLength: 10 }), (unit, flips) => {
      const bytes = unit.slice()
      for (const [at, byte] of flips) if (at < bytes.length) bytes[at] = byte
      const lines = new LineTable(elfWith({ '.debug_line': bytes, '.debug_line_str': lineStr }))
      for (const addr of [0, 0x4000, 0x400c, 2 ** 53]) lines.find(addr)
    }),
    { numRuns: 2000 },
  )
})
