/** One kind of misfortune, tried again and again. */
import type { Tally } from './tally.ts'

export interface Fault {
  readonly name: string
  /** A line for people. */
  readonly about: string
  /** In the whole campaign, and in its short form. */
  readonly tries: number
  readonly short: number
  /** Milliseconds that nobody may be held for; absent where that is what the fault is about. */
  readonly mostHeld?: number
  /** Why it can't be had on this machine, or false. */
  readonly unavailable?: () => string | false
  /** Tries it so often, and counts. */
  run(tries: number, tally: Tally): Promise<void>
}

/**
 * `StorageDeadline` of a trial is a second, the time of a copy a tenth of one: what is more goes to a machine that is busy with
 * something else. Storage that hangs does so for longer.
 */
export const mostHeld = 5000

/** Runs `work` so many times, two at a time: as many as there are processors on a small machine. */
export async function repeat(tries: number, work: (n: number) => Promise<void>, abreast = 2): Promise<void> {
  let next = 0
  const runner = async (): Promise<void> => {
    while (next < tries) await work(next++)
  }
  await Promise.all(Array.from({ length: Math.min(abreast, tries) }, runner))
}

export const random = (below: number): number => Math.floor(Math.random() * below)
export const sleep = (ms: number): Promise<void> => new Promise(done => setTimeout(done, ms))
