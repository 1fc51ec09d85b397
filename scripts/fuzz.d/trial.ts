/** One input and what came of it. */
import { SinkError } from '../../src/base/errors.ts'
import { applyEdits, type Damage } from './damage.ts'
import { limits } from './limits.ts'
import type { Seed, Target } from './target.ts'

export interface Outcome {
  /** A value, one of our errors, or what must not be. */
  readonly kind: 'value' | 'error' | 'find'
  /** What must not be, in a line or with a stack. */
  readonly why?: string
  /** Milliseconds of processor time. */
  readonly ms: number
}

const megabytes = 1024 * 1024
/** Megabytes that the process has had at most. */
export const peak = (): number => process.resourceUsage().maxRSS / 1024

/** Throws where there is no such seed: the input is of another time. */
export function seedOf(seeds: readonly Seed[], { seed }: Damage): Seed {
  const found = seeds.find(({ source }) => source.name === seed)
  if (found === undefined) throw new Error(`no seed ${seed}`)
  return found
}

/** `times` is what the limit of time is multiplied by. */
export function tryInput(target: Target, seed: Seed, damage: Damage, times: number): Outcome {
  const damaged = applyEdits(seed.source, damage.edits)
  const [held, most] = [process.memoryUsage.rss() / megabytes, peak()]
  const before = process.cpuUsage()
  let kind: Outcome['kind'] = 'value'
  let why: string | undefined
  try {
    target.run(damaged, seed)
  } catch (error) {
    kind = 'error'
    if (!(error instanceof SinkError)) why = error instanceof Error ? error.stack! : String(error)
  }
  const { user, system } = process.cpuUsage(before)
  const ms = (user + system) / 1000
  // What grows input by input is not ours: zlib's inflateSync keeps its engine where it throws (Node 26).
  const now = peak()
  if (now > most && now - held > limits.mb) why ??= `took ${Math.round(now - held)} MB of memory`
  if (ms > limits.ms * times) why ??= `took ${Math.round(ms)} ms of processor time`
  return why === undefined ? { kind, ms } : { kind: 'find', why, ms }
}
