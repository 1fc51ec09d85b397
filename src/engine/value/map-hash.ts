/**
 * Maps before Go 1.24 (runtime/map.go): 2^B buckets, and the old ones while a map grows. A same-size grow, for one with
 * many overflow buckets, has as many old ones.
 */
import { MemoryFault } from '../../base/errors.ts'
import type { Memory } from '../core/memory.ts'
import { bucketSlots, isOccupied } from './map-bucket.ts'
import { evacuatedSlots, type GrowingMap } from './map-evacuation.ts'
import { type Budget, maxInline, type Slot } from './map-slot.ts'

const hashWriting = 4
const sameSizeGrow = 8
const maxB = 40

/** `header`: the hmap {count int, flags u8, B u8, noverflow u16, hash0 u32, buckets, oldbuckets, nevacuate, …}. */
export function* hashSlots(
  memory: Memory,
  keySize: number,
  elemSize: number,
  header: number,
  budget: Budget,
): Generator<Slot> {
  const { ptrSize } = memory
  const flags = memory.u8(header + ptrSize)
  const b = memory.u8(header + ptrSize + 1)
  const at = memory.word(header + ptrSize + 8)
  const oldAt = memory.word(header + 2 * ptrSize + 8)
  const nevacuate = memory.word(header + 3 * ptrSize + 8)
  if (b > maxB) throw new MemoryFault(header, `has an impossible map of 2^${b} buckets`)
  if (at === 0) return
  const layout = {
    keySize: keySize > maxInline ? ptrSize : keySize,
    elemSize: elemSize > maxInline ? ptrSize : elemSize,
  }
  const old = { at: oldAt, count: (flags & sameSizeGrow) !== 0 ? 2 ** b : 2 ** (b - 1) }
  // hashGrow sets B, then the buckets as the old ones, then the new ones, and nevacuate last: that is what the map
  // before had when it had grown, half of its buckets.
  const isGrown = at !== oldAt && !(oldAt === 0 && nevacuate === 2 ** (b - 2))
  const buckets = isGrown ? { at, count: 2 ** b } : { at, count: old.count }
  if (oldAt !== 0 && oldAt !== at) {
    const growing: GrowingMap = {
      layout,
      buckets,
      old,
      count: memory.word(header),
      writing: (flags & hashWriting) !== 0,
      nevacuate,
    }
    return yield* evacuatedSlots(memory, growing, budget)
  }
  for (let i = 0; i < buckets.count && budget.left > 0; i++)
    for (const slot of bucketSlots(memory, layout, buckets, i, budget)) if (isOccupied(slot)) yield slot
}
