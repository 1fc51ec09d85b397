/** Damage, the same for the same number: bits flipped, numbers made extreme, ranges copied, zeroed, cut off. */
import type { ByteSource } from '../../src/engine/bytes/byte-source.ts'

/** A generator of whole numbers below a bound: mulberry32, which is small and good enough to pick places. */
export type Random = (below: number) => number

export function randomFrom(seed: number): Random {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) >>> 0
  return below => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

/** `[start, end)` of the parts where damage tells. */
export type Range = readonly [start: number, end: number]

interface Patch {
  readonly offset: number
  readonly bytes: Uint8Array
}

/** Numbers that lengths and offsets go wrong with. */
const extremes = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  1n << 40n,
  (1n << 47n) - 8n,
  1n << 53n,
  (1n << 63n) - 1n,
  (1n << 64n) - 1n,
]

/** The source with one to four damages, most of them within `hot` where that is given. Reads of the original cost nothing. */
export function mutate(source: ByteSource, random: Random, hot: readonly Range[] = []): ByteSource {
  const patches: Patch[] = []
  let size = source.size
  for (let count = 1 + random(4); count > 0; count--) {
    const at = place(source.size, random, hot)
    const kind = random(16)
    if (kind === 0) size = Math.min(size, at)
    else patches.push({ offset: at, bytes: damage(source, at, kind, random) })
  }
  return patched(source, patches, size)
}

function place(size: number, random: Random, hot: readonly Range[]): number {
  if (hot.length === 0 || random(8) === 0) return random(size)
  const [start, end] = hot[random(hot.length)]!
  return start + random(Math.max(1, end - start))
}

function damage(source: ByteSource, at: number, kind: number, random: Random): Uint8Array {
  if (kind < 6) return Uint8Array.of((source.read(at, 1)[0] ?? 0) ^ (1 << random(8)))
  if (kind < 9) return Uint8Array.of(random(256))
  if (kind < 13) return extreme(random)
  const length = 1 + random(kind === 13 ? 4096 : 64)
  if (kind === 14) return new Uint8Array(length)
  return new Uint8Array(source.read(random(source.size), length))
}

function extreme(random: Random): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(8))
  bytes.setBigUint64(0, extremes[random(extremes.length)]!, random(8) !== 0)
  return new Uint8Array(bytes.buffer, 0, [2, 4, 8, 8][random(4)])
}

function patched(source: ByteSource, patches: readonly Patch[], size: number): ByteSource {
  return {
    name: source.name,
    size,
    read(offset, length) {
      const end = Math.min(size, offset + length)
      if (!(offset >= 0 && offset < end)) return new Uint8Array(0)
      const original = source.read(offset, end - offset)
      const touching = patches.filter(p => p.offset < end && p.offset + p.bytes.length > offset)
      if (touching.length === 0) return original
      const bytes = new Uint8Array(original) // a Buffer's slice would be a view
      for (const { offset: start, bytes: damaged } of touching) {
        const from = Math.max(0, offset - start)
        bytes.set(damaged.subarray(from, Math.max(from, end - start)), Math.max(0, start - offset))
      }
      return bytes
    },
  }
}
