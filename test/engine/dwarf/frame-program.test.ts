import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FormatError, MemoryFault } from '../../../src/base/errors.ts'
import { evaluate } from '../../../src/engine/dwarf/expression.ts'
import { type FrameSource, readEntry } from '../../../src/engine/dwarf/frame-entry.ts'
import { rowAt } from '../../../src/engine/dwarf/frame-program.ts'
import { FrameReader } from '../../../src/engine/dwarf/frame-reader.ts'
import { openEhFrameHdr, scanned } from '../../../src/engine/dwarf/frame-table.ts'
import { amd64Machine, unwindStep } from '../../../src/engine/dwarf/unwind.ts'

const base = 0x1000
const origin = { file: 'test', section: '.eh_frame', littleEndian: true, ptrSize: 8 as const }

/** A CIE as gcc writes it and one FDE, whose function begins at 0x4000 and pushes rbp. */
function ehFrame(): Uint8Array {
  const cie = [
    ...[1, ...ascii('zR'), 0, 1, 0x78, 16, 1, 0x1b], // version, "zR", code align 1, data align -8, RA 16, pcrel|sdata4
    ...[0x0c, 7, 8], // DW_CFA_def_cfa rsp+8
    ...[0x90, 1], // DW_CFA_offset r16 at cfa-8
    ...[0, 0], // padding
  ]
  const program = [
    ...[0x41, 0x0e, 16], // advance 1; def_cfa_offset 16
    ...[0x86, 2], // offset r6 at cfa-16
    ...[0x43, 0x0d, 6], // advance 3; def_cfa_register rbp
    ...[0x0a, 0x4a, 0x0c, 7, 8, 0x0b], // remember; advance 10; def_cfa rsp+8; restore
    ...[0x5e, 0xc6, 0x0c, 7, 8, 0, 0], // advance 30; restore r6; def_cfa rsp+8
  ]
  const out: number[] = [...u32(4 + cie.length), ...u32(0), ...cie]
  const fdeAt = out.length
  out.push(...u32(4 + 8 + 1 + program.length), ...u32(fdeAt + 4))
  out.push(...u32(0x4000 - (base + out.length)), ...u32(0x40), 0, ...program)
  return Uint8Array.from([...out, 0, 0, 0, 0])
}

const ascii = (text: string): number[] => [...text].map(c => c.charCodeAt(0))
const u32 = (value: number): number[] => [
  value & 255,
  (value >> 8) & 255,
  (value >> 16) & 255,
  (value >> 24) & 255,
]

function sourceOf(bytes: Uint8Array): FrameSource {
  return (addr, length) => {
    if (addr < base || addr >= base + bytes.length) throw new MemoryFault(addr)
    return new FrameReader(bytes.subarray(addr - base, addr - base + length), origin, addr)
  }
}

test('scanned finds the FDE that covers an address and none beside it', () => {
  const table = scanned(sourceOf(ehFrame()), base, 'eh_frame')
  assert.equal(table.find(0x4000)?.start, 0x4000)
  assert.equal(table.find(0x403f)?.end, 0x4040)
  assert.equal(table.find(0x4040), undefined)
  assert.equal(table.find(0x3fff), undefined)
})

test('rowAt runs the program up to the address', () => {
  const fde = scanned(sourceOf(ehFrame()), base, 'eh_frame').find(0x4000)!
  const cfaAt = (pc: number) => rowAt(fde, pc)!.cfa
  assert.deepEqual(cfaAt(0x4000), { kind: 'register', register: 7, offset: 8n })
  assert.deepEqual(cfaAt(0x4001), { kind: 'register', register: 7, offset: 16n })
  assert.deepEqual(cfaAt(0x4004), { kind: 'register', register: 6, offset: 16n })
  assert.deepEqual(cfaAt(0x4010), { kind: 'register', register: 6, offset: 16n })
  assert.deepEqual(rowAt(fde, 0x4010)!.registers.get(6), { kind: 'offset', offset: -16n })
  assert.deepEqual(cfaAt(0x403f), { kind: 'register', register: 7, offset: 8n })
  assert.equal(rowAt(fde, 0x403f)!.registers.has(6), false)
})

test('unwindStep restores the caller from the stack', () => {
  const fde = scanned(sourceOf(ehFrame()), base, 'eh_frame').find(0x4010)!
  const stack = new Map([
    [0x7000, 0x7ff0n], // saved rbp
    [0x7008, 0x5555n], // return address
  ])
  const registers = new Map([
    [6, 0x7000n],
    [7, 0x6f00n],
    [3, 42n],
    [0, 7n],
  ])
  const read = (addr: number): bigint => stack.get(addr) ?? assert.fail(`read of ${addr}`)
  const up = unwindStep(fde, 0x4010, registers, amd64Machine, { read })!
  assert.equal(up.pc, 0x5555n)
  assert.equal(up.cfa, 0x7010n)
  assert.equal(up.registers.get(6), 0x7ff0n)
  assert.equal(up.registers.get(7), 0x7010n)
  assert.equal(up.registers.get(3), 42n)
  assert.equal(up.registers.has(0), false)
})

test('evaluate computes what the linker writes for the PLT', () => {
  // rsp+8 + ((rip & 15) >= 11) << 3
  const bytes = Uint8Array.of(0x77, 8, 0x80, 0, 0x3f, 0x1a, 0x3b, 0x2a, 0x33, 0x24, 0x22)
  const at = (rip: bigint): bigint =>
    evaluate(new FrameReader(bytes, origin, 0), {
      register: number => (number === 7 ? 1000n : rip),
      deref: () => 0n,
    })
  assert.equal(at(0x406n), 1008n)
  assert.equal(at(0x40bn), 1016n)
})

test('evaluate ends for any bytes', () => {
  const context = { register: () => 5n, deref: (addr: number) => BigInt(Math.trunc(addr) % 7 || 0) }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
      try {
        const value = evaluate(new FrameReader(bytes, origin, 0), context, 1n)
        assert.ok(value >= 0n && value < 1n << 64n)
      } catch (error) {
        assert.ok(error instanceof FormatError, String(error))
      }
    }),
    { numRuns: 3000 },
  )
})

test('frame tables with any bytes flipped give a frame, nothing, or a FormatError', () => {
  const flip = fc.tuple(fc.nat(ehFrame().length - 1), fc.integer({ min: 0, max: 255 }))
  fc.assert(
    fc.property(fc.array(flip, { minLength: 1, maxLength: 8 }), fc.nat(0x60), (flips, offset) => {
      const bytes = ehFrame()
      for (const [at, byte] of flips) bytes[at] = byte
      const table = scanned(sourceOf(bytes), base, 'eh_frame')
      const fde = table.find(0x3ff0 + offset)
      if (!fde) return
      const registers = new Map([...Array(17).keys()].map(n => [n, BigInt(n * 8)] as const))
      unwindStep(fde, 0x3ff0 + offset, registers, amd64Machine, {
        read: addr => {
          throw new MemoryFault(addr)
        },
      })
    }),
    { numRuns: 2000 },
  )
})

test('openEhFrameHdr refuses what is no header and bears any bytes', () => {
  assert.equal(openEhFrameHdr(sourceOf(Uint8Array.of(9, 9, 9, 9)), base), undefined)
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 80 }), bytes => {
      bytes[0] = 1
      openEhFrameHdr(sourceOf(bytes), base)?.find(0x4000)
    }),
    { numRuns: 1000 },
  )
})

test('readEntry passes over an entry that claims more than there is', () => {
  const bytes = ehFrame()
  bytes.set([0xff, 0xff, 0xff, 0x7f], 0)
  assert.throws(() => readEntry(sourceOf(bytes), base, 'eh_frame', base), FormatError)
})
