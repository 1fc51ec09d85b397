/** Numbers that are the same each time, so that what they led to can be had again. */

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

export const pick = <T>(from: readonly T[], random: Random): T => from[random(from.length)]!
