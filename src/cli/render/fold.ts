/** Recursion folded: where the same few calls repeat, they are shown once with how often they came again. */

export type Folded<T> =
  | { readonly item: T; readonly index: number }
  | { readonly again: number; readonly period: number }

/** Longest cycle of mutual recursion that is looked for. */
const longestPeriod = 8
/** So many rounds at least are worth folding. */
const fewestRounds = 3

/** `same` tells whether two neighbours of a cycle are the same call. */
export function* fold<T>(list: readonly T[], same: (a: T, b: T) => boolean): Generator<Folded<T>> {
  for (let i = 0; i < list.length; ) {
    const { period, rounds } = cycleAt(list, i, same)
    for (let j = i; j < i + period; j++) yield { item: list[j]!, index: j }
    if (rounds > 1) yield { again: rounds - 1, period }
    i += period * rounds
  }
}

function cycleAt<T>(
  list: readonly T[],
  from: number,
  same: (a: T, b: T) => boolean,
): { period: number; rounds: number } {
  for (let period = 1; period <= longestPeriod; period++) {
    let at = from + period
    while (at < list.length && same(list[at]!, list[at - period]!)) at++
    const rounds = Math.floor((at - from) / period)
    if (rounds >= fewestRounds) return { period, rounds }
  }
  return { period: 1, rounds: 1 }
}
