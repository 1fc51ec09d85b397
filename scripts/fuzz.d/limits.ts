/** What one damaged input may cost. */
export const limits = {
  /** Milliseconds of processor time. */
  ms: 2000,
  /** Megabytes above what the process held before. */
  mb: 512,
  /** Milliseconds on the clock after which an input counts as hung: the machine may be busy. */
  hangMs: 30_000,
} as const
