/** What the daemon hands a shrinking child on its standard input, and what it answers first. */
import type { AnalysisJob } from './analysis-job.ts'

export interface ShrinkJob extends AnalysisJob {
  /** `shrink`: the answer's line, then a mini-core, compressed. `check`: the line alone. */
  readonly what: 'shrink' | 'check'
  /** Bytes that memory is told apart by: what is read of so many makes all of them be kept. */
  readonly grain: number
  /** Milliseconds of processor time that may go into what is only good to have. */
  readonly patience: number
}

/** One line of JSON. */
export interface ShrinkAnswer {
  /** SHA-256 of each part of what the core says: a mini-core must say the same. */
  readonly says: Readonly<Record<string, string>>
  /** Of the report that the core makes now. */
  readonly signature: string
  readonly goroutineCount: number
  /** Bytes of the mini-core; absent for `check`. */
  readonly rawSize?: number
}
