/** math/big: `nat` is a slice of words, the least significant first. */
import type { Variable } from '../type/variable.ts'
import type { ValueContext } from './context.ts'
import { indexOf, lengthOf } from './element.ts'
import { member } from './member.ts'
import { integerOf, readBool } from './scalar.ts'

const maxWords = 1024
const maxDigits = 120

export function bigIntText(context: ValueContext, int: Variable): string | undefined {
  const value = bigIntOf(context, int)
  return value === undefined ? undefined : digits(value)
}

export function bigRatText(context: ValueContext, rat: Variable): string | undefined {
  const [a, b] = ['a', 'b'].map(name => member(context, rat, name))
  const [over, under] = [a && bigIntOf(context, a), b && bigIntOf(context, b)]
  if (over === undefined || under === undefined) return undefined
  // The zero value of the denominator stands for 1.
  return under <= 1n ? digits(over) : `${digits(over)}/${digits(under)}`
}

function bigIntOf(context: ValueContext, int: Variable): bigint | undefined {
  const [neg, abs] = [member(context, int, 'neg'), member(context, int, 'abs')]
  if (!neg || abs?.type.kind !== 'slice') return undefined
  const words = lengthOf(context, abs)!
  if (words === 0) return 0n
  if (!(words > 0 && words <= maxWords)) return undefined
  const { ptrSize, littleEndian } = context.memory
  const { place } = indexOf(context, abs, 0n)
  let value = 0n
  for (let i = words - 1; i >= 0; i--)
    value = (value << BigInt(8 * ptrSize)) | integerOf(place.read(i * ptrSize, ptrSize), false, littleEndian)
  return readBool(neg) ? -value : value
}

function digits(value: bigint): string {
  const text = String(value)
  return text.length <= maxDigits ? text : `${text.slice(0, maxDigits)}...+${text.length - maxDigits} digits`
}
