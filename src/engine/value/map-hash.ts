/**
 * Maps before Go 1.24 (runtime/map.go): 2^B buckets of 8 slots and chains of overflow buckets behind them. While a
 * map grows, its entries move bucket by bucket from the old array, and slot by slot within a bucket, so both are read:
 * an old slot that has moved says so in its tophash. A same-size grow (many overflow buckets) has as many old ones.
 */
import { alignUp } from '../../base/align.ts'
import { MemoryFault } from '../../base/errors.ts'
import type { Memory } from '../core/memory.ts'
import { type Budget, maxInline, type Slot } from './map-slot.ts'

const slots = 8
/** tophash: 0 and 1 are empty, 2 and 3 moved, 4 was empty when its bucket moved. */
const minTopHash = 5
const sameSizeGrow = 8
const maxB = 40

/** `header`: the hmap {count int, flags u8, B u8, noverflow u16, hash0 u32, buckets, oldbuckets, …}. */
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
  const buckets = memory.word(header + ptrSize + 8)
  const old = memory.word(header + 2 * ptrSize + 8)
  if (b > maxB) throw new MemoryFault(header, `has an impossible map of 2^${b} buckets`)
  if (buckets === 0) return
  const layout = bucketLayout(memory, keySize, elemSize)
  const oldCount = old === 0 ? 0 : (flags & sameSizeGrow) !== 0 ? 2 ** b : 2 ** (b - 1)
  for (let i = 0; i < 2 ** b; i++) {
    if (i < oldCount) yield* chain(memory, layout, old + i * layout.size, budget)
    yield* chain(memory, layout, buckets + i * layout.size, budget)
    if (budget.left <= 0) return
  }
}

interface BucketLayout {
  readonly keySize: number
  readonly elemSize: number
  readonly elems: number
  readonly overflow: number
  readonly size: number
}

/** bmap: tophash [8]u8, keys [8]K, elems [8]V, overflow pointer. */
function bucketLayout({ ptrSize }: Memory, key: number, elem: number): BucketLayout {
  const keySize = key > maxInline ? ptrSize : key
  const elemSize = elem > maxInline ? ptrSize : elem
  const elems = slots + slots * keySize
  const overflow = alignUp(elems + slots * elemSize, ptrSize)
  return { keySize, elemSize, elems, overflow, size: overflow + ptrSize }
}

function* chain(memory: Memory, layout: BucketLayout, first: number, budget: Budget): Generator<Slot> {
  const seen = new Set<number>()
  for (
    let bucket = first;
    bucket !== 0 && !seen.has(bucket);
    bucket = memory.word(bucket + layout.overflow)
  ) {
    seen.add(bucket)
    for (let i = 0; i < slots; i++) {
      if (budget.left-- <= 0) return
      if (memory.u8(bucket + i) < minTopHash) continue
      yield { key: bucket + slots + i * layout.keySize, elem: bucket + layout.elems + i * layout.elemSize }
    }
  }
}
