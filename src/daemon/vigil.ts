/**
 * Tells a thread that waits for storage from one that hangs for another reason: both give no sign of life, but the one
 * sleeps within one and the same call on a file. Only that excuses it; for all else there is the watchdog.
 */
import { type ThreadState, threadState } from './thread-state.ts'

export type Judgement =
  | { readonly kind: 'alive' }
  /** For this directory, for this file where it is below none that is known, or for `storage`. */
  | { readonly kind: 'waits'; readonly path: string }
  /** It works, or spins, or waits for what will never be. */
  | { readonly kind: 'busy' }

export class Vigil {
  readonly #beats: Int32Array
  readonly #mapped: string
  #counted = 0
  #signAt = performance.now()
  #before: { state: ThreadState; at: number } | undefined
  /** The thread's number in the kernel, as soon as it is known. */
  thread: number | undefined
  /** Where its files are, and what that directory is called. */
  readonly directories = new Map<string, string>()

  /**
   * `beats`: the counter of its signs of life. `mapped`: the directory of the files that it has mapped into its memory; it
   * sleeps over their pages without a call.
   */
  constructor(beats: Int32Array, mapped: string) {
    this.#beats = beats
    this.#mapped = mapped
  }

  /** Since its last sign of life that was seen, milliseconds. */
  get silentMs(): number {
    return performance.now() - this.#signAt
  }

  /** Called again and again, at longer intervals than the thread's beats. */
  look(): Judgement {
    const now = performance.now()
    const beats = Atomics.load(this.#beats, 0)
    if (beats !== this.#counted) {
      this.#counted = beats
      this.#signAt = now
      this.#before = undefined
      return { kind: 'alive' }
    }
    const before = this.#before
    const state = this.thread === undefined ? undefined : threadState(this.thread)
    this.#before = state && { state, at: now }
    if (state === undefined || before === undefined) return { kind: 'busy' }
    // Who waits may be woken now and then to see whether it still has to; who makes call after call wakes more often.
    const isOneCall = state.switches - before.state.switches <= 1 + (now - before.at) / 1000
    const path = this.#awaited(state)
    return isOneCall && path !== undefined ? { kind: 'waits', path } : { kind: 'busy' }
  }

  #awaited({ sleepsOver, isOutside, isDeepAsleep }: ThreadState): string | undefined {
    const isBelow = (own: string): boolean => sleepsOver === own || sleepsOver?.startsWith(`${own}/`) === true
    const known = [...this.directories].find(([own]) => isBelow(own))
    if (known !== undefined) return known[1]
    if (!isDeepAsleep) return undefined
    return sleepsOver ?? (isOutside ? this.#mapped : 'storage')
  }
}
