/** The days that a look for what has just come covers. */
import { dayOf } from './layout.ts'

const dayMs = 24 * 60 * 60_000

/**
 * The newest `count` of `days`, which come newest first; tomorrow is one of them where some machine's clock is there. Days
 * behind that are of clocks that were wrong: they come besides, so that they leave no day of now out.
 */
export function latestDays(days: Iterable<string>, count: number, now: number = Date.now()): string[] {
  const tomorrow = dayOf(new Date(now + dayMs))
  const latest: string[] = []
  let counted = 0
  for (const day of days) {
    if (day <= tomorrow && counted++ === count) break
    latest.push(day)
  }
  return latest
}
