/** Names of constants for a number: the one declared with it, or several flags that make it up. */
import type { NamedConstant, TypeOf } from '../type/type.ts'

const sorted = new WeakMap<object, readonly NamedConstant[]>()

/** `January`, `O_CREATE|O_TRUNC`; undefined where the type declares nothing that fits. */
export function describeConstant(type: TypeOf<'int' | 'enum'>, value: bigint): string | undefined {
  const constants = constantsOf(type)
  const exact = constants.find(constant => constant.value === value)
  if (exact) return exact.name
  const names: string[] = []
  let rest = value
  for (const { name, value: flag } of constants) {
    if (!isOneBit(flag) || (rest & flag) === 0n) continue
    names.push(name)
    rest &= ~flag
  }
  if (names.length === 0) return undefined
  if (rest === 0n) return names.join('|')
  // C: gdb names what it can, if the enumeration is one of flags.
  const isFlags = type.kind === 'enum' && constants.every(({ value: flag }) => flag === 0n || isOneBit(flag))
  return isFlags && rest > 0n ? `${names.join('|')}|0x${rest.toString(16)}` : undefined
}

function constantsOf(type: TypeOf<'int' | 'enum'>): readonly NamedConstant[] {
  if (type.kind === 'enum') return [...type.names].map(([value, name]) => ({ name, value }))
  const known = sorted.get(type)
  if (known) return known
  // A plain int is no one's: it would be described by any package's constant.
  const own = type.named && type.name.includes('.') ? (type.constants?.() ?? []) : []
  const constants = own.toSorted((a, b) => (a.value < b.value ? -1 : a.value > b.value ? 1 : 0))
  sorted.set(type, constants)
  return constants
}

function isOneBit(value: bigint): boolean {
  return value > 0n && (value & (value - 1n)) === 0n
}
