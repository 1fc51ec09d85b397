/** Values that are one other value in a wrapping: atomics, and buffers of text. */
import type { Variable } from '../type/variable.ts'
import type { ValueContext } from './context.ts'
import { indexOf, lengthOf } from './element.ts'
import { member, memberInteger } from './member.ts'
import { readInteger } from './scalar.ts'
import { quote } from './text.ts'

const maxText = 64

/** sync/atomic's types: `v`. */
export function atomicText(context: ValueContext, { ...atomic }: Variable): string | undefined {
  const v = member(context, atomic, 'v', 'value', 'u.value')
  if (!v) return undefined
  const value = readInteger(context, v)
  if (/\.Bool(\[|$)/.test(atomic.type.name)) return String(value !== 0n)
  return v.type.kind === 'unsafe.Pointer' || v.type.kind === 'pointer'
    ? `0x${value.toString(16)}`
    : String(value)
}

/** strings.Builder.buf, and bytes.Buffer.buf from off on. */
export function bufferText(context: ValueContext, buffer: Variable): string | undefined {
  const buf = member(context, buffer, 'buf')
  if (buf?.type.kind !== 'slice') return undefined
  const off = Number(memberInteger(context, buffer, 'off') ?? 0n)
  const length = lengthOf(context, buf)! - off
  if (!(length >= 0)) return undefined
  if (length === 0) return '""'
  const first = indexOf(context, buf, BigInt(off))
  const bytes = first.place.read(0, Math.min(length, maxText))
  return quote(bytes, length > maxText ? `...+${length - maxText} more` : '')
}
