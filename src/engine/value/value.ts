/**
 * Go values as data: what reading memory by a type descriptor gives, with the parts that could not be read in their
 * place. This is the seam for richer readers (variables by DWARF, maps by bucket): they make the same union.
 */
import { MemoryFault } from '../../base/errors.ts'
import { utf8 } from '../bytes/cursor.ts'
import { viewOf } from '../bytes/layout.ts'
import { integerKind } from './kind.ts'
import type { GoType, TypeReader } from './rtype.ts'

export type Value = { readonly type: string } & (
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int'; readonly value: bigint; readonly signed: boolean }
  | { readonly kind: 'float'; readonly value: number; readonly bits: 32 | 64 }
  | { readonly kind: 'complex'; readonly real: number; readonly imag: number; readonly bits: 64 | 128 }
  | { readonly kind: 'string'; readonly text: string; readonly length: number }
  | { readonly kind: 'pointer'; readonly address: number; readonly target?: Value }
  | {
      readonly kind: 'struct'
      readonly fields: readonly { name: string; value: Value }[]
      readonly more: number
    }
  | {
      readonly kind: 'list'
      readonly items: readonly Value[]
      readonly length: number
      readonly nil: boolean
    }
  | { readonly kind: 'interface'; readonly dynamic?: Value }
  /** Channels, functions, maps and unsafe pointers: what they point to is not looked into. */
  | { readonly kind: 'reference'; readonly address: number }
  | { readonly kind: 'unreadable'; readonly reason: string }
  /** Left out for depth or length. */
  | { readonly kind: 'omitted' }
)

export interface ValueLimits {
  readonly depth: number
  readonly items: number
  readonly fields: number
  readonly stringBytes: number
  /** Values in all, however they nest. */
  readonly values: number
}

export const defaultLimits: ValueLimits = { depth: 4, items: 16, fields: 32, stringBytes: 1024, values: 256 }

/** The value of `type` at `addr`. Never throws for unreadable memory. */
export function readValue(
  types: TypeReader,
  type: GoType,
  addr: number,
  limits: ValueLimits = defaultLimits,
): Value {
  return new ValueReader(types, limits).read(type, addr, limits.depth)
}

/** What an interface holds: the data word is the value itself for pointer-shaped types, else its address. */
export function readDynamic(
  types: TypeReader,
  type: GoType,
  data: { word: number; addr: number },
  limits: ValueLimits = defaultLimits,
): Value {
  return readValue(types, type, type.pointerShaped ? data.addr : data.word, limits)
}

class ValueReader {
  readonly #types: TypeReader
  readonly #limits: ValueLimits
  #left: number

  constructor(types: TypeReader, limits: ValueLimits) {
    this.#types = types
    this.#limits = limits
    this.#left = limits.values
  }

  read(type: GoType, addr: number, depth: number): Value {
    if (this.#left-- <= 0 || depth < 0) return { type: type.name, kind: 'omitted' }
    try {
      return this.#read(type, addr, depth)
    } catch (error) {
      if (error instanceof MemoryFault) return { type: type.name, kind: 'unreadable', reason: error.message }
      throw error
    }
  }

  #read(type: GoType, addr: number, depth: number): Value {
    const memory = this.#types.memory
    const name = type.name
    const integer = integerKind(type.kind)
    if (integer)
      return {
        type: name,
        kind: 'int',
        value: readInteger(this.#types, type, addr),
        signed: integer === 'signed',
      }
    switch (type.kind) {
      case 'bool':
        return { type: name, kind: 'bool', value: memory.u8(addr) !== 0 }
      case 'float32':
      case 'float64':
        return {
          type: name,
          kind: 'float',
          value: this.#float(addr, type.size),
          bits: type.size === 4 ? 32 : 64,
        }
      case 'complex64':
      case 'complex128': {
        const half = type.size / 2
        const [real, imag] = [this.#float(addr, half), this.#float(addr + half, half)]
        return { type: name, kind: 'complex', real, imag, bits: half === 4 ? 64 : 128 }
      }
      case 'string':
        return { type: name, kind: 'string', ...readString(memory, addr, this.#limits.stringBytes) }
      case 'ptr': {
        const address = memory.word(addr)
        const elem = address === 0 ? undefined : this.#types.elem(type)
        if (!elem) return { type: name, kind: 'pointer', address }
        return { type: name, kind: 'pointer', address, target: this.read(elem, address, depth - 1) }
      }
      case 'struct': {
        const fields = this.#types.fields(type)
        return {
          type: name,
          kind: 'struct',
          fields: fields.slice(0, this.#limits.fields).map(field => ({
            name: field.name,
            value: this.#at(field.type, addr + field.offset, depth - 1),
          })),
          more: Math.max(0, fields.length - this.#limits.fields),
        }
      }
      case 'array':
        return this.#list(type, addr, this.#types.arrayLength(type), depth, false)
      case 'slice': {
        const [array, length] = [memory.word(addr), memory.word(addr + memory.ptrSize)]
        return this.#list(type, array, length, depth, array === 0)
      }
      case 'interface':
        return this.#interface(type, addr, depth)
      default:
        return { type: name, kind: 'reference', address: memory.word(addr) }
    }
  }

  #at(typeAddr: number, addr: number, depth: number): Value {
    const type = this.#types.at(typeAddr)
    if (type) return this.read(type, addr, depth)
    return { type: '?', kind: 'unreadable', reason: `no type at 0x${typeAddr.toString(16)}` }
  }

  #list(type: GoType, array: number, length: number, depth: number, nil: boolean): Value {
    const elem = this.#types.elem(type)
    const count = elem && depth > 0 ? Math.min(length, this.#limits.items) : 0
    const items = Array.from({ length: count }, (_, i) => this.read(elem!, array + i * elem!.size, depth - 1))
    return { type: type.name, kind: 'list', items, length, nil }
  }

  /** eface {type, data}; iface {tab, data} with the type at word 1 of the tab (internal/abi/iface.go ITab). */
  #interface(type: GoType, addr: number, depth: number): Value {
    const memory = this.#types.memory
    const first = memory.word(addr)
    if (first === 0) return { type: type.name, kind: 'interface' }
    // Descriptors and tabs differ in what they point to: a tab's second word is a descriptor.
    const direct = isEmptyInterface(this.#types, type) ? first : memory.word(first + memory.ptrSize)
    const dynamic = this.#types.at(direct)
    if (!dynamic)
      return { type: type.name, kind: 'unreadable', reason: `no type at 0x${direct.toString(16)}` }
    const data = addr + memory.ptrSize
    const value = this.read(dynamic, dynamic.pointerShaped ? data : memory.word(data), depth - 1)
    return { type: type.name, kind: 'interface', dynamic: value }
  }

  #float(addr: number, size: number): number {
    const view = viewOf(this.#types.memory.read(addr, size))
    const little = this.#types.memory.littleEndian
    return size === 4 ? view.getFloat32(0, little) : view.getFloat64(0, little)
  }
}

/** interfaceType: pkgPath name, methods []imethod. */
function isEmptyInterface({ memory }: TypeReader, type: GoType): boolean {
  const base = memory.ptrSize === 8 ? 48 : 32
  return memory.word(type.addr + base + 2 * memory.ptrSize) === 0
}

/** An integer of the type's size and sign. */
export function readInteger({ memory }: TypeReader, type: GoType, addr: number): bigint {
  const bits = type.size * 8
  const raw =
    type.size === 8
      ? memory.u64(addr)
      : BigInt(type.size === 4 ? memory.u32(addr) : type.size === 2 ? memory.u16(addr) : memory.u8(addr))
  return integerKind(type.kind) === 'signed' ? BigInt.asIntN(bits, raw) : raw
}

/** A string header {ptr, len} at `addr`; the text is cut at `max` bytes. */
export function readString(
  memory: TypeReader['memory'],
  addr: number,
  max: number,
): { text: string; length: number } {
  const [data, length] = [memory.word(addr), memory.word(addr + memory.ptrSize)]
  if (length === 0) return { text: '', length: 0 }
  if (!(length < 2 ** 47)) throw new MemoryFault(addr, 'is no string header')
  return { text: utf8(memory.read(data, Math.min(length, max))), length }
}
