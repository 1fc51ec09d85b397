/** Location expressions written by hand, as DWARF 5 section 2.6.1.3 explains them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { amd64 } from '../../../src/engine/arch/amd64.ts'
import { bytesSource } from '../../../src/engine/bytes/byte-source.ts'
import { SplicedMemory } from '../../../src/engine/core/memory.ts'
import type { LocationExpression } from '../../../src/engine/dwarf/debug-info.ts'
import { evaluateLocation, type LocationContext } from '../../../src/engine/dwarf/location.ts'
import { locationParts } from '../../../src/engine/dwarf/location-shape.ts'
import { OptimizedOut } from '../../../src/engine/type/place.ts'

/** 0x1000 to 0x1100, each byte its own offset. */
const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
const region = {
  start: 0x1000,
  end: 0x1100,
  offset: 0,
  origin: 'core' as const,
  source: bytesSource('memory', bytes),
}
const memory = new SplicedMemory([region], amd64)

const expression = (...code: number[]): LocationExpression => ({
  bytes: Uint8Array.from(code),
  addressAt: index => 0x800 + index * 8,
  baseTypeAt: offset => (offset === 1 ? { size: 4, encoding: 'signed' } : undefined),
  addrSize: 8,
  offsetSize: 4,
  littleEndian: true,
  file: 'test',
})

const context: LocationContext = {
  memory,
  bias: 0x800,
  cfa: 0x1080,
  frameBase: expression(0x9c),
  registers: number =>
    number === 0
      ? { value: 0x1122334455667788n }
      : number === 3
        ? { value: 0x1010n, note: 'recovered' }
        : undefined,
  entryValue: number => (number === 5 ? { value: 7n } : undefined),
  tls: offset => 0x1000 + offset,
}

const rows: readonly [string, number[], string, number?][] = [
  ['DW_OP_reg0', [0x50], '88 77 66 55'],
  ['DW_OP_regx 0', [0x90, 0], '88 77 66 55'],
  ['DW_OP_breg3 16', [0x73, 16], '20 21 22 23', 0x1020],
  ['DW_OP_addr, biased', [0x03, 0x10, 8, 0, 0, 0, 0, 0, 0], '10 11 12 13', 0x1010],
  ['DW_OP_addrx 2, biased', [0xa1, 2], '10 11 12 13', 0x1010],
  ['DW_OP_call_frame_cfa', [0x9c], '80 81 82 83', 0x1080],
  ['DW_OP_fbreg -16', [0x91, 0x70], '70 71 72 73', 0x1070],
  ['DW_OP_call_frame_cfa, DW_OP_consts -8, DW_OP_plus', [0x9c, 0x11, 0x78, 0x22], '78 79 7a 7b', 0x1078],
  ['DW_OP_lit7, DW_OP_stack_value', [0x37, 0x9f], '07 00 00 00'],
  ['DW_OP_implicit_value', [0x9e, 4, 1, 2, 3, 4], '01 02 03 04'],
  ['DW_OP_constx 2, DW_OP_stack_value, unbiased', [0xa2, 2, 0x9f], '10 08 00 00'],
  ['DW_OP_lit8, DW_OP_form_tls_address', [0x38, 0x9b], '08 09 0a 0b', 0x1008],
  ['DW_OP_entry_value(DW_OP_reg5), DW_OP_stack_value', [0xa3, 1, 0x55, 0x9f], '07 00 00 00'],
  ['pieces of a register and of memory', [0x50, 0x93, 2, 0x91, 0x70, 0x93, 2], '88 77 70 71'],
  ['DW_OP_bit_piece of whole bytes', [0x50, 0x9d, 16, 8, 0x91, 0x70, 0x93, 2], '77 66 70 71'],
  ['DW_OP_bit_piece of 4 bits from bit 4', [0x50, 0x9d, 4, 4, 0x37, 0x9f, 0x93, 3], '08 07 00 00'],
  ['DW_OP_convert to int', [0x0c, 0xff, 0xff, 0xff, 0xff, 0xa8, 1, 0x9f], 'ff ff ff ff'],
]
for (const [name, code, wanted, addr] of rows)
  test(`evaluateLocation() of ${name}`, () => {
    const place = evaluateLocation(expression(...code), context)
    assert.equal(
      Buffer.from(place.read(0, 4))
        .toString('hex')
        .replace(/..(?=.)/g, '$& '),
      wanted,
    )
    assert.equal(place.addr, addr)
  })

test('evaluateLocation() says why where there is nothing', () => {
  const why = (code: number[], partial: Partial<LocationContext> = {}): string => {
    const place = evaluateLocation(expression(...code), { ...context, ...partial })
    try {
      place.read(0, 4)
      return ''
    } catch (error) {
      assert.ok(error instanceof OptimizedOut, String(error))
      return error.message
    }
  }
  assert.match(why([0x52]), /a call has overwritten/)
  assert.match(why([0x72, 0]), /a call has overwritten/)
  assert.match(why([0x93, 4]), /optimized out/)
  assert.match(why([0xa3, 1, 0x54, 0x9f]), /known only where the function was called/)
  assert.match(why([0xa0, 0, 0, 0, 0, 0]), /what it points to/)
  assert.match(why([0xee]), /0xee is not known/)
  assert.match(why([0x2f, 0xfd, 0xff]), /does not end/)
  assert.match(why([0x9b]), /takes more than it has/)
  const { cfa: _, ...frameless } = context
  assert.match(why([0x9c], { ...frameless, cfa: 0 }), /no known place/)
})

test('evaluateLocation() hands on the notes of the registers that it used', () => {
  assert.deepEqual(evaluateLocation(expression(0x73, 0), context).notes, ['recovered'])
  assert.equal(evaluateLocation(expression(0x50), context).notes, undefined)
})

test('locationParts() tells registers and slots', () => {
  assert.deepEqual(locationParts(expression(0x50, 0x93, 8, 0x91, 0x78, 0x93, 8)), [
    { kind: 'register', register: 0, offset: 0, size: 8 },
    { kind: 'slot', from: -8, offset: 8, size: 8 },
  ])
  assert.deepEqual(locationParts(expression(0x9c)), [
    { kind: 'slot', from: 0, offset: 0, size: Number.POSITIVE_INFINITY },
  ])
  assert.equal(locationParts(expression(0x73, 0)), undefined)
})

test('evaluateLocation() and locationParts() bear any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), code => {
      locationParts(expression(...code))
      const place = evaluateLocation(expression(...code), context)
      try {
        assert.equal(place.read(0, 8).length, 8)
      } catch (error) {
        assert.match((error as Error).name, /^(OptimizedOut|MemoryFault)$/, String((error as Error).stack))
      }
    }),
    { numRuns: 5000 },
  )
})
