/** C's arrays of variable length: a dimension's upper bound is an expression, or a variable that has no name. */
import { arrayOf, type Type } from '../type/type.ts'
import { At, Tag } from './constants.ts'
import type { BoundReader } from './debug-info.ts'
import type { Entry } from './entry.ts'
import { expressionOf, readLocations } from './location-list.ts'

const maxDimensions = 16
/** A stack is no larger, so no array on one has more elements. */
const maxLength = 2 ** 40

/** Whether a dimension of the array is only known while its function runs. */
export function hasDynamicLength(array: Entry): boolean {
  return array.tag === Tag.arrayType && dimensions(array).some(isDynamic)
}

/** The array with the lengths that it has in a frame; undefined where they cannot be told. */
export function dynamicArray(
  array: Entry,
  elem: Type,
  pc: number,
  read: BoundReader,
  entryAt: (reference: number | bigint) => Entry,
): Type | undefined {
  const lengths: number[] = []
  for (const range of dimensions(array)) {
    // gcc writes the last index, clang the number of elements.
    const length =
      asLength(bound(range, At.count, pc, read, entryAt)) ??
      plusOne(asLength(bound(range, At.upperBound, pc, read, entryAt)))
    if (length === undefined || !(length >= 0 && length < maxLength)) return undefined
    lengths.push(length)
  }
  return lengths.reduceRight<Type>((inner, length) => arrayOf(inner, length), elem)
}

function dimensions(array: Entry): Entry[] {
  return [...array.children()].filter(({ tag }) => tag === Tag.subrangeType).slice(0, maxDimensions)
}

function isDynamic(range: Entry): boolean {
  return [At.count, At.upperBound].some(
    attribute => range.block(attribute) !== undefined || range.reference(attribute) !== undefined,
  )
}

function bound(
  range: Entry,
  attribute: number,
  pc: number,
  read: BoundReader,
  entryAt: (reference: number | bigint) => Entry,
): bigint | undefined {
  const block = range.block(attribute)
  if (block) return read(expressionOf(range.unit, block), 'value')
  const reference = range.reference(attribute)
  if (reference === undefined) return range.integer(attribute, true)
  const place = readLocations(entryAt(reference)).find(({ low, high }) => pc >= low && pc < high)
  return place && read(place.expression, 'place')
}

const asLength = (value: bigint | undefined): number | undefined =>
  value === undefined ? undefined : Number(BigInt.asIntN(64, value))
const plusOne = (value: number | undefined): number | undefined =>
  value === undefined ? undefined : value + 1
