/** Maps of both implementations: entries in the order in which their tables hold them, found without a hash. */
import { MemoryFault } from '../../base/errors.ts'
import { memoryPlace } from '../type/place.ts'
import type { Type, TypeOf } from '../type/type.ts'
import type { Variable } from '../type/variable.ts'
import type { ValueContext } from './context.ts'
import { comparable } from './equal.ts'
import { hashSlots } from './map-hash.ts'
import { type Budget, maxInline } from './map-slot.ts'
import { swissSlots } from './map-swiss.ts'
import { readAddress } from './scalar.ts'

/** Parts of keys that are compared for every slot that may be looked at, on average. */
const partsPerSlot = 4

export interface MapEntry {
  readonly key: Variable
  readonly value: Variable
}

/** `len(m)`: the first word of either header. */
export function mapLength(context: ValueContext, variable: Variable): number {
  const header = readAddress(context, variable)
  if (header === 0) return 0
  const count = context.memory.word(header)
  if (!(count < 2 ** 47)) throw new MemoryFault(header, `has an invalid count ${count}`)
  return count
}

/** The entries; `budget` bounds the slots that are looked at, and has 0 left where that ended it. */
export function* mapEntries(context: ValueContext, variable: Variable, budget: Budget): Generator<MapEntry> {
  const { type } = variable
  const header = readAddress(context, variable)
  if (type.kind !== 'map' || header === 0) return
  const [key, elem] = [type.key(), type.elem()]
  const slots = isSwiss(context, type)
    ? swissSlots(context, type, header, budget)
    : hashSlots(context.memory, key.size, elem.size, header, budget)
  for (const slot of slots)
    yield { key: inSlot(context, slot.key, key), value: inSlot(context, slot.elem, elem) }
}

/** The element of a key, by value. */
export function findEntry(
  context: ValueContext,
  variable: Variable,
  key: Variable,
  work: number,
): Variable | undefined {
  const type = variable.type as TypeOf<'map'>
  const dynamic = type.key().kind === 'interface'
  const wanted = comparable(context, key, dynamic)
  if (wanted === undefined) return undefined
  const budget = { left: work }
  const effort = { left: partsPerSlot * work }
  for (const entry of mapEntries(context, variable, budget))
    if (comparable(context, entry.key, dynamic, effort) === wanted) return entry.value
  if (budget.left <= 0)
    throw new MemoryFault(variable.place.addr ?? 0, `has a map of more than ${work} slots`)
  return undefined
}

/** Go 1.24 brought Swiss tables; a program built with GOEXPERIMENT=noswissmap has hmap's header type. */
function isSwiss({ goMinor }: ValueContext, type: TypeOf<'map'>): boolean {
  const header = goMinor >= 24 && goMinor < 26 ? type.header?.() : undefined
  return goMinor >= 24 && !header?.name.startsWith('hash<')
}

/** A damaged pointer costs its own value only: Infinity is no address, and says so when it is read. */
function inSlot({ memory }: ValueContext, addr: number, type: Type): Variable {
  const there = type.size <= maxInline || !memory.has(addr, memory.ptrSize)
  return { name: '', type, place: memoryPlace(memory, there ? addr : memory.word(addr)), flags: {} }
}
