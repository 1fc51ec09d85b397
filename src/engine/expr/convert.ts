/** Conversions, `T(x)`: those of Go (spec, "Conversions"), and integers into pointers, which Go leaves to unsafe. */
import { UsageError } from '../../base/errors.ts'
import { bytesPlace, textPlace } from '../type/place.ts'
import { arrayOf, type Type } from '../type/type.ts'
import type { Variable } from '../type/variable.ts'
import type { ValueContext } from '../value/context.ts'
import { lengthOf } from '../value/element.ts'
import { bytesOf, deref, describe } from '../value/field.ts'
import { headerWord, readFloat, readInteger, readText } from '../value/scalar.ts'
import { type Constant, constantAs, constantVariable, floatBytes, type Operand } from './constant.ts'

const maxText = 1 << 20
const words: ReadonlySet<Type['kind']> = new Set(['pointer', 'unsafe.Pointer', 'map', 'chan', 'func'])

/** The operand as a value of `type`; throws UsageError where Go has no such conversion. */
export function convert(context: ValueContext, operand: Operand, type: Type): Variable {
  const machine = context.memory
  if (operand.kind === 'constant') {
    const direct = constantAs(operand.constant, type, machine)
    // A text keeps its type only as a text: []byte("x") has bytes.
    if (direct) return { ...direct, flags: {} }
    return convertVariable(context, constantVariable(widened(operand.constant, type), machine), type)
  }
  return convertVariable(context, operand.variable, type)
}

/** Addresses above 2^63 and fractions that a cast cuts off. */
function widened(constant: Constant, type: Type): Constant {
  if (constant.kind === 'float' && type.kind === 'int' && Number.isFinite(constant.value))
    return { kind: 'int', value: BigInt(Math.trunc(constant.value)) }
  return constant
}

function convertVariable(context: ValueContext, from: Variable, to: Type): Variable {
  const { littleEndian } = context.memory
  const made = (bytes: Uint8Array): Variable => ({ name: '', type: to, place: bytesPlace(bytes), flags: {} })
  const word = (value: bigint): Variable => made(bytesOf(value, to.size, littleEndian))
  const kind = from.type.kind
  const isWhole = kind === 'int' || kind === 'enum'
  switch (to.kind) {
    case 'int':
    case 'enum':
      if (isWhole || words.has(kind) || kind === 'bool') return word(readInteger(context, from))
      if (kind === 'float') return word(truncated(readFloat(context, from)))
      break
    case 'float':
      if (isWhole) return made(floatBytes([Number(readInteger(context, from))], to.size, context.memory))
      if (kind === 'float') return made(floatBytes([readFloat(context, from)], to.size, context.memory))
      break
    case 'complex': {
      const half = to.size / 2
      if (isWhole) return made(floatBytes([Number(readInteger(context, from)), 0], half, context.memory))
      if (kind === 'float') return made(floatBytes([readFloat(context, from), 0], half, context.memory))
      if (kind === 'complex')
        return made(floatBytes([readFloat(context, from), readFloat(context, from, 1)], half, context.memory))
      break
    }
    case 'pointer':
    case 'unsafe.Pointer':
    case 'map':
    case 'chan':
    case 'func':
      // A channel or map is a pointer to the runtime's own structure.
      if (isWhole || words.has(kind)) return word(readInteger(context, from))
      break
    case 'string':
      if (kind === 'string') return { ...from, type: to }
      if (isWhole)
        return {
          name: '',
          type: to,
          place: textPlace(utf8(character(readInteger(context, from)))),
          flags: {},
        }
      if (kind === 'slice' || kind === 'array') return textOf(context, from, to)
      if (kind === 'pointer' && from.type.language === 'c') return cText(context, from, to)
      break
    case 'slice':
      if (kind === 'string') return sliceOfText(context, from, to, to.elem())
      break
    default:
  }
  // The same structure under another name.
  if (kind === to.kind && from.type.size === to.size) return { ...from, type: to }
  throw new UsageError(`can not convert ${describe(from)} to ${to.name}`)
}

function truncated(value: number): bigint {
  if (!Number.isFinite(value)) throw new UsageError(`${value} is no integer`)
  return BigInt(Math.trunc(value))
}

/** string(65) is "A"; what is no code point is U+FFFD. */
function character(value: bigint): string {
  const sound = value >= 0n && value <= 0x10ffffn && !(value >= 0xd800n && value < 0xe000n)
  return sound ? String.fromCodePoint(Number(value)) : '\ufffd'
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** string([]byte) and string([]rune), also of arrays. */
function textOf(context: ValueContext, from: Variable, to: Type): Variable {
  const elem = from.type.kind === 'slice' || from.type.kind === 'array' ? from.type.elem() : undefined
  const length = lengthOf(context, from) ?? 0
  if (elem?.kind !== 'int' || (elem.size !== 1 && elem.size !== 4))
    throw new UsageError(`can not convert ${describe(from)} to ${to.name}`)
  if (!(length >= 0 && length * elem.size <= maxText)) throw new UsageError(`${describe(from)} is too long`)
  const bytes = elementBytes(context, from, length * elem.size)
  if (elem.size === 1) return { name: '', type: to, place: textPlace(bytes), flags: {} }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  let text = ''
  for (let at = 0; at < bytes.length; at += 4)
    text += character(BigInt(view.getInt32(at, context.memory.littleEndian)))
  return { name: '', type: to, place: textPlace(utf8(text)), flags: {} }
}

function elementBytes(context: ValueContext, from: Variable, length: number): Uint8Array {
  if (length === 0) return new Uint8Array(0)
  if (from.type.kind === 'array') return from.place.read(0, length)
  return context.memory.read(Number(headerWord(context, from, 0)), length)
}

/** A `char *` up to its NUL. */
function cText(context: ValueContext, from: Variable, to: Type): Variable {
  const length = lengthOf(context, from)
  if (length === undefined) throw new UsageError(`can not convert ${describe(from)} to ${to.name}`)
  const first = deref(context, from)
  return { name: '', type: to, place: textPlace(first.place.read(0, Math.min(length, maxText))), flags: {} }
}

/** []byte(s) is a window on the text where it lies in memory; a text that was written is an array of its bytes. */
function sliceOfText(context: ValueContext, from: Variable, to: Type, elem: Type): Variable {
  if (elem.kind !== 'int' || (elem.size !== 1 && elem.size !== 4))
    throw new UsageError(`can not convert ${describe(from)} to ${to.name}`)
  const { bytes, length } = readText(context, from, maxText)
  if (elem.size === 1 && !from.place.text) {
    const { ptrSize, littleEndian } = context.memory
    const header = [headerWord(context, from, 0), BigInt(length), BigInt(length)]
    const place = bytesPlace(
      Uint8Array.from(header.flatMap(word => [...bytesOf(word, ptrSize, littleEndian)])),
    )
    return { name: '', type: to, place, flags: {} }
  }
  if (elem.size === 1)
    return { name: '', type: arrayOf(elem, bytes.length), place: bytesPlace(bytes), flags: {} }
  const points = [...new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)].map(c =>
    BigInt(c.codePointAt(0)!),
  )
  const units = Uint8Array.from(points.flatMap(point => [...bytesOf(point, 4, context.memory.littleEndian)]))
  return { name: '', type: arrayOf(elem, points.length), place: bytesPlace(units), flags: {} }
}
