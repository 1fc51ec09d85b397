/** Values of one machine word or a few: integers, floats, pointers and the texts that strings point to. */
import { MemoryFault, UsageError } from '../../base/errors.ts'
import { viewOf } from '../bytes/layout.ts'
import type { Memory } from '../core/memory.ts'
import type { Variable } from '../type/variable.ts'
import type { ValueContext } from './context.ts'

/** No text of a program is longer; a length beyond it is damage. */
const maxLength = 2 ** 47

/** The integer that the bytes are, of any length. */
export function integerOf(bytes: Uint8Array, signed: boolean, littleEndian: boolean): bigint {
  let value = 0n
  for (let i = 0; i < bytes.length; i++)
    value = (value << 8n) | BigInt(bytes[littleEndian ? bytes.length - 1 - i : i]!)
  return signed ? BigInt.asIntN(bytes.length * 8, value) : value
}

/** The float that 4 or 8 bytes are; of 10 and more the 80 bits of x87, rounded to a double. */
export function floatOf(bytes: Uint8Array, littleEndian: boolean): number {
  if (bytes.length === 4) return viewOf(bytes).getFloat32(0, littleEndian)
  if (bytes.length === 8) return viewOf(bytes).getFloat64(0, littleEndian)
  const exponent = integerOf(bytes.subarray(8, 10), false, true)
  const mantissa = integerOf(bytes.subarray(0, 8), false, true)
  const sign = exponent & 0x8000n ? -1 : 1
  const power = Number(exponent & 0x7fffn)
  if (power === 0x7fff) return BigInt.asUintN(63, mantissa) === 0n ? sign * Infinity : NaN
  // In two steps: 2 ** -16445 is no double.
  return sign * Number(mantissa) * 2 ** -63 * 2 ** Math.max(-1022, Math.min(1023, power - 16383))
}

/** A boolean, integer, enum or pointer as an integer. */
export function readInteger(context: ValueContext, { type, place, name }: Variable): bigint {
  const little = context.memory.littleEndian
  switch (type.kind) {
    case 'int':
    case 'enum':
      return integerOf(place.read(0, type.size), type.signed, little)
    case 'bool':
    case 'pointer':
    case 'unsafe.Pointer':
    case 'map':
    case 'chan':
    case 'func':
      return integerOf(place.read(0, type.size), false, little)
    default:
      throw new UsageError(`${name || 'value'} (type ${type.name}) is not an integer`)
  }
}

export function readBool({ place, type }: Variable): boolean {
  return place.read(0, type.size).some(byte => byte !== 0)
}

/** A float, or the real part of a complex. */
export function readFloat(context: ValueContext, { type, place }: Variable, part = 0): number {
  const size = type.kind === 'complex' ? Math.floor(type.size / 2) : type.size
  return floatOf(place.read(part * size, size), context.memory.littleEndian)
}

/** The address that a pointer, map, channel or func has; MemoryFault where it cannot be one. */
export function readAddress(context: ValueContext, variable: Variable): number {
  return toAddress(readInteger(context, variable))
}

/** A word as an address of user space. */
export function toAddress(word: bigint): number {
  if (word < 2n ** 53n && word >= 0n) return Number(word)
  throw new MemoryFault(Number(BigInt.asUintN(64, word)), 'is no address of a program')
}

/** The word `index` of a header: a slice's array, length and capacity, a string's data and length. */
export function headerWord(context: ValueContext, { place }: Variable, index: number): bigint {
  const { ptrSize, littleEndian } = context.memory
  return integerOf(place.read(index * ptrSize, ptrSize), false, littleEndian)
}

export interface Text {
  readonly bytes: Uint8Array
  /** Of the whole. */
  readonly length: number
}

/** At most `max` bytes of a Go string, from byte `skip`. */
export function readText(context: ValueContext, variable: Variable, max: number, skip = 0): Text {
  const constant = variable.place.text
  if (constant) return { bytes: constant.subarray(skip, skip + max), length: constant.length }
  const length = Number(headerWord(context, variable, 1))
  if (length === 0) return { bytes: new Uint8Array(0), length }
  if (!(length < maxLength))
    throw new MemoryFault(variable.place.addr ?? 0, `has an invalid length ${length}`)
  const data = toAddress(headerWord(context, variable, 0))
  return { bytes: context.memory.read(data + skip, Math.max(0, Math.min(length - skip, max))), length }
}

/** C's text at `addr` up to its NUL or `max` bytes; `ended` tells which. Memory that ends first ends the text. */
export function readCText(memory: Memory, addr: number, max: number): { bytes: Uint8Array; ended: boolean } {
  const bytes: number[] = [memory.u8(addr)]
  while (bytes.at(-1) !== 0) {
    if (bytes.length > max || !memory.has(addr + bytes.length, 1))
      return { bytes: Uint8Array.from(bytes.slice(0, max)), ended: false }
    bytes.push(memory.u8(addr + bytes.length))
  }
  return { bytes: Uint8Array.from(bytes.slice(0, -1)), ended: true }
}

/** The Go string whose header is at `addr`, of which at most `max` bytes are read. */
export function readStringAt(memory: Memory, addr: number, max: number): Text {
  const [data, length] = [memory.word(addr), memory.word(addr + memory.ptrSize)]
  if (length === 0) return { bytes: new Uint8Array(0), length }
  if (!(length < maxLength)) throw new MemoryFault(addr, 'is no string header')
  return { bytes: memory.read(data, Math.min(length, max)), length }
}
