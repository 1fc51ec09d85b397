/** What a value has by number or key: elements, lengths, and windows on a part of them. */
import { UsageError } from '../../base/errors.ts'
import { bytesPlace, memoryPlace, placeAt, textPlace } from '../type/place.ts'
import { basicType, sliceOf, type Type } from '../type/type.ts'
import type { Variable } from '../type/variable.ts'
import { chanLength } from './chan.ts'
import type { ValueContext } from './context.ts'
import { bytesOf, deref, describe } from './field.ts'
import { findEntry, mapLength } from './map.ts'
import { headerWord, readAddress, readCText, toAddress } from './scalar.ts'

/** `len(x)`; undefined for what has no length. */
export function lengthOf(context: ValueContext, variable: Variable): number | undefined {
  const { type } = variable
  switch (type.kind) {
    case 'string':
    case 'slice':
      return variable.place.text?.length ?? Number(BigInt.asIntN(64, headerWord(context, variable, 1)))
    case 'array':
      return type.length
    case 'map':
      return variable.window
        ? windowed(variable.window, mapLength(context, variable))
        : mapLength(context, variable)
    case 'chan':
      return chanLength(context, variable, 'qcount')
    case 'pointer': {
      const elem = type.elem()
      if (elem?.kind === 'array') return elem.length
      if (!isCText(type)) return undefined
      const addr = readAddress(context, variable)
      return addr === 0 ? 0 : readCText(context.memory, addr, maxCText).bytes.length
    }
    default:
      return undefined
  }
}

/** `cap(x)`; undefined for what has none. */
export function capacityOf(context: ValueContext, variable: Variable): number | undefined {
  const { type } = variable
  switch (type.kind) {
    case 'slice':
      return Number(BigInt.asIntN(64, headerWord(context, variable, 2)))
    case 'array':
      return type.length
    case 'chan':
      return chanLength(context, variable, 'dataqsiz')
    case 'pointer': {
      const elem = type.elem()
      return elem?.kind === 'array' ? elem.length : undefined
    }
    default:
      return undefined
  }
}

/**
 * `x[i]` of arrays, slices, strings, pointers to arrays and C pointers; `m[k]` of maps, whose key is a variable, found
 * by looking at no more than `work` slots. Throws UsageError for an index out of range or a key that is not there.
 */
export function indexOf(
  context: ValueContext,
  variable: Variable,
  index: bigint | Variable,
  work: number = maxScan,
): Variable {
  const { type } = variable
  if (type.kind === 'map') {
    const key = typeof index === 'bigint' ? integerVariable(context, index, type.key()) : index
    const found = findEntry(context, variable, key, work)
    if (!found) throw new UsageError('key not found')
    return { ...found, name: variable.name && `${variable.name}[${key.name || '…'}]` }
  }
  if (typeof index !== 'bigint') throw new UsageError(`${describe(variable)} is indexed by an integer only`)
  const name = variable.name && `${variable.name}[${index}]`
  const [elem, place, length] = elements(context, variable)
  if (index < 0n && length !== undefined)
    throw new UsageError(`index ${index} out of range for ${describe(variable)}`)
  if (length !== undefined && index >= BigInt(length))
    throw new UsageError(`index ${index} out of range [0:${length}) of ${describe(variable)}`)
  return { name, type: elem, place: placeAt(place, Number(index) * elem.size), flags: {} }
}

/**
 * `x[low:high]`: a slice of what it is a window on, a string of a string, a part of a map in its order; its elements
 * are shown without the limit on their number. `high` may be left out where there is a length.
 */
export function windowOf(context: ValueContext, variable: Variable, low: bigint, high?: bigint): Variable {
  const { type } = variable
  const name = variable.name && `${variable.name}[${low || ''}:${high ?? ''}]`
  if (type.kind === 'map') {
    if (low < 0n || (high !== undefined && high < low)) throw badWindow(variable, low, high)
    const window = { skip: Number(low), ...(high === undefined ? {} : { count: Number(high - low) }) }
    return { ...variable, name, window }
  }
  const [elem, place, length, limit = length] = elements(context, variable)
  const end = high ?? (length === undefined ? undefined : BigInt(length))
  if (end === undefined)
    throw new UsageError(`${describe(variable)} has no length: give the end of the window`)
  if (low < 0n || end < low || (limit !== undefined && end > BigInt(limit)))
    throw badWindow(variable, low, high)
  const { ptrSize, littleEndian } = context.memory
  const text = type.kind === 'string'
  if (variable.place.text)
    return { ...variable, name, place: textPlace(variable.place.text.subarray(Number(low), Number(end))) }
  if (place.addr === undefined) throw new UsageError(`${describe(variable)} lies in no memory of its own`)
  const words = [BigInt(place.addr) + low * BigInt(elem.size), end - low]
  if (!text) words.push(limit === undefined ? end - low : BigInt(limit) - low)
  const bytes = words.flatMap(word => [...bytesOf(word, ptrSize, littleEndian)])
  const window = { skip: 0, count: Number(end - low) }
  const windowType = text || type.kind === 'slice' ? type : sliceOf(elem, ptrSize)
  return { name, type: windowType, place: bytesPlace(Uint8Array.from(bytes)), flags: {}, window }
}

/** A Go or C character type's pointer: a text up to its NUL. */
export function isCText(type: Type): boolean {
  if (type.kind !== 'pointer' || type.language !== 'c') return false
  const elem = type.elem()
  return elem?.kind === 'int' && elem.char === true && elem.size === 1
}

/** C's array of characters, shown as the text that it holds. */
export function isCTextArray(type: Type): boolean {
  if (type.kind !== 'array' || type.language !== 'c' || (type.length === 0 && !type.flexible)) return false
  const elem = type.elem()
  return elem.kind === 'int' && elem.char === true && elem.size === 1
}

/** A C text that is longer is shown cut. */
export const maxCText = 1 << 20

/** Slots of a map that are looked at for a key. */
export const maxScan = 1 << 20

/** Type and place of the first element, how many there are, and up to where a window may reach. */
function elements(
  context: ValueContext,
  variable: Variable,
): [elem: Type, place: Variable['place'], length?: number | undefined, limit?: number | undefined] {
  const { type, place } = variable
  switch (type.kind) {
    case 'array':
      return type.flexible ? [type.elem(), place] : [type.elem(), place, type.length]
    case 'slice': {
      const [length, capacity] = [lengthOf(context, variable)!, capacityOf(context, variable)!]
      return [
        type.elem(),
        memoryPlace(context.memory, toAddress(headerWord(context, variable, 0))),
        length,
        capacity,
      ]
    }
    case 'string': {
      const text = place.text
      if (text) return [basicType('uint8', context.memory.ptrSize)!, bytesPlace(text), text.length]
      const data = toAddress(headerWord(context, variable, 0))
      return [
        basicType('uint8', context.memory.ptrSize)!,
        memoryPlace(context.memory, data),
        lengthOf(context, variable),
      ]
    }
    case 'pointer': {
      const elem = type.elem()
      if (elem?.kind === 'array' && type.language === 'go') return elements(context, deref(context, variable))
      if (elem && type.language === 'c')
        return [elem, memoryPlace(context.memory, readAddress(context, variable))]
      throw new UsageError(`${describe(variable)} can not be indexed`)
    }
    default:
      throw new UsageError(`${describe(variable)} can not be indexed`)
  }
}

function integerVariable(context: ValueContext, value: bigint, type: Type): Variable {
  const place = bytesPlace(bytesOf(value, type.size, context.memory.littleEndian))
  return { name: String(value), type, place, flags: { constant: true } }
}

function windowed({ skip, count = Infinity }: NonNullable<Variable['window']>, length: number): number {
  return Math.max(0, Math.min(length - skip, count))
}

function badWindow(variable: Variable, low: bigint, high: bigint | undefined): UsageError {
  return new UsageError(`window [${low}:${high ?? ''}] out of range of ${describe(variable)}`)
}
