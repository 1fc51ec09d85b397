/**
 * Buckets of maps before Go 1.24 (bmap in runtime/map.go): 8 slots each, with a byte of the key's hash for each slot,
 * and overflow buckets behind those that are full.
 */
import { alignUp } from '../../base/align.ts'
import type { Memory } from '../core/memory.ts'
import type { Budget, Slot } from './map-slot.ts'

const slots = 8
/** tophash: 0 and 1 are empty; 2 to 4 say how an old slot ended (map-evacuation.ts). */
const minTopHash = 5

export interface BucketSlot extends Slot {
  readonly tophash: number
}

/** Buckets beside one another, without their overflow buckets. */
export interface Buckets {
  readonly at: number
  readonly count: number
}

/** How many bytes a key and an element have in a slot. */
export interface BucketLayout {
  readonly keySize: number
  readonly elemSize: number
}

/** All slots of a bucket and of its overflow buckets. bmap: tophash [8]u8, keys [8]K, elems [8]V, overflow pointer. */
export function* bucketSlots(
  memory: Memory,
  { keySize, elemSize }: BucketLayout,
  buckets: Buckets,
  index: number,
  budget: Budget,
): Generator<BucketSlot> {
  const elems = slots + slots * keySize
  const overflow = alignUp(elems + slots * elemSize, memory.ptrSize)
  const seen = new Set<number>()
  let bucket = buckets.at + index * (overflow + memory.ptrSize)
  for (; bucket !== 0 && !seen.has(bucket); bucket = memory.word(bucket + overflow)) {
    seen.add(bucket)
    for (let i = 0; i < slots; i++) {
      if (budget.left-- <= 0) return
      const [key, elem] = [bucket + slots + i * keySize, bucket + elems + i * elemSize]
      yield { tophash: memory.u8(bucket + i), key, elem }
    }
  }
}

export function isOccupied({ tophash }: BucketSlot): boolean {
  return tophash >= minTopHash
}
