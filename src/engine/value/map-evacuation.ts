/**
 * A map before Go 1.24 that grows (evacuate in runtime/map.go). Entries go over bucket by bucket, those of an old one to
 * one new bucket (X) or two (X and Y), which nobody else uses before. Within a bucket they go slot by slot: the old slot
 * is marked as moved, and only then tophash, key and element are written to the next slot of X or Y. The old slots are
 * cleared after the bucket's last one, if they hold pointers and nobody iterates.
 *
 * So a program may have died with an entry that is marked as moved and is nowhere yet, or in part: its old slot has it.
 */
import type { Memory } from '../core/memory.ts'
import { type BucketLayout, type BucketSlot, type Buckets, bucketSlots, isOccupied } from './map-bucket.ts'
import type { Budget, Slot } from './map-slot.ts'

/** tophash of an old slot whose entry is in X, or in Y; and of one that had none when its bucket's turn came. */
const evacuatedX = 2
const evacuatedY = 3
const evacuatedEmpty = 4

export interface GrowingMap {
  readonly layout: BucketLayout
  readonly buckets: Buckets
  readonly old: Buckets
  readonly count: number
  /** Somebody is in the middle of putting something in or taking something out, which is when buckets move. */
  readonly writing: boolean
  /** All old buckets before this one have moved. */
  readonly nevacuate: number
}

export function* evacuatedSlots(memory: Memory, map: GrowingMap, budget: Budget): Generator<Slot> {
  // Old slots whose new ones are vacant, still or again: the map's count tells which.
  const vacated: Slot[] = []
  let found = 0
  for (let i = 0; i < map.old.count && budget.left > 0; i++)
    for (const slot of oldBucketSlots(memory, map, i, vacated, budget)) {
      found++
      yield slot
    }
  if (budget.left > 0) yield* vacated.slice(0, Math.max(0, map.count - found))
}

/** What is, or was, in an old bucket, wherever it is now. */
function* oldBucketSlots(
  memory: Memory,
  { layout, buckets, old, writing, nevacuate }: GrowingMap,
  index: number,
  vacated: Slot[],
  budget: Budget,
): Generator<Slot> {
  const from = [...bucketSlots(memory, layout, old, index, budget)]
  if (from[0] === undefined || !isEvacuated(from[0])) return yield* from.filter(isOccupied)
  if (!from.every(isEvacuated)) return yield* from.filter(slot => isOccupied(slot) || hasMoved(slot))
  const last = writing && index >= nevacuate ? from.findLast(hasMoved) : undefined
  for (const tophash of [evacuatedX, evacuatedY]) {
    const to = tophash === evacuatedX ? index : index + old.count
    if (to >= buckets.count) return
    let ahead = last?.tophash === tophash ? from.filter(slot => slot.tophash === tophash).length : 0
    for (const slot of bucketSlots(memory, layout, buckets, to, budget)) {
      const underWay = --ahead === 0 && last !== undefined && isPartOf(memory, layout, slot, last)
      if (isOccupied(slot)) yield underWay ? last : slot
      else if (underWay) vacated.push(last)
    }
    if (ahead > 0 && last !== undefined) vacated.push(last)
  }
}

function isEvacuated({ tophash }: BucketSlot): boolean {
  return tophash >= evacuatedX && tophash <= evacuatedEmpty
}

function hasMoved({ tophash }: BucketSlot): boolean {
  return tophash === evacuatedX || tophash === evacuatedY
}

/** Whether copying `whole` may have come as far as `slot`: each word is as there, or still zero. */
function isPartOf(memory: Memory, { keySize, elemSize }: BucketLayout, slot: Slot, whole: Slot): boolean {
  const isPart = (copy: Uint8Array, original: Uint8Array): boolean => {
    for (let at = 0; at < copy.length; at += memory.ptrSize) {
      const word = copy.subarray(at, at + memory.ptrSize)
      if (word.some(byte => byte !== 0) && word.some((byte, i) => byte !== original[at + i])) return false
    }
    return true
  }
  return (
    isPart(memory.read(slot.key, keySize), memory.read(whole.key, keySize)) &&
    isPart(memory.read(slot.elem, elemSize), memory.read(whole.elem, elemSize))
  )
}
