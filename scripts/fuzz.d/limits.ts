/** What one damaged input may cost. */
export const limits = {
  /** Milliseconds of processor time. */
  ms: 2000,
  /** As many times the time where each branch is counted. */
  counted: 3,
  /** Megabytes above what the process held before. */
  mb: 512,
  /** Milliseconds of processor time after which an input counts as hung. */
  hangMs: 30_000,
} as const
