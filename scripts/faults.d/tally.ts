/** What came of the tries of one fault. */

export interface Verdict {
  readonly lost: number
  readonly twice: number
  /** Called complete and not the core that was dumped, or found damaged by `verify`. */
  readonly wrong: number
  /** Milliseconds that the crashed process was held; undefined where it can't be told. */
  readonly held?: number
  /** A sentence for each of what went wrong. */
  readonly why: readonly string[]
}

export class Tally {
  tries = 0
  lost = 0
  twice = 0
  wrong = 0
  complete = 0
  truncated = 0
  records = 0
  held: number | undefined
  isTooLong = false
  readonly why: string[] = []

  add(verdict: Verdict): void {
    this.tries++
    this.lost += verdict.lost
    this.twice += verdict.twice
    this.wrong += verdict.wrong
    this.hold(verdict.held)
    this.why.push(...verdict.why)
  }

  hold(ms: number | undefined): void {
    if (ms !== undefined) this.held = Math.max(this.held ?? 0, ms)
  }

  /** Somebody was held for longer than that. */
  checkHold(most: number | undefined): void {
    if (this.held === undefined || this.held <= (most ?? Number.POSITIVE_INFINITY)) return
    this.isTooLong = true
    this.why.push(
      `a process was held for ${(this.held / 1000).toFixed(2)} s, where ${most! / 1000} s are the most`,
    )
  }

  count(state: 'complete' | 'truncated' | 'none'): void {
    if (state === 'complete') this.complete++
    else if (state === 'truncated') this.truncated++
    else this.records++
  }

  get isGood(): boolean {
    return this.lost + this.twice + this.wrong === 0 && this.tries > 0 && !this.isTooLong
  }
}
