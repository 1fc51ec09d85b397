/** What the daemon hands an analysing child on its standard input, and how the child answers. */

import type { Account } from './account.ts'

export interface AnalysisJob {
  /** Path of the stored core. */
  core: string
  /** What to call the core in messages. */
  name: string
  binaries: JobBinary[]
  /** The runtime's clock at the crash, where the handler took it down. */
  monotonicNow?: number
  /** Whom to become once all files are open; absent: stay. */
  become?: Account
}

export interface JobBinary {
  role: 'executable' | 'library'
  /** As the crashed process saw it. */
  path: string
  buildId?: string
  /** Where the archive keeps it. */
  file: string
}

/** Exit statuses of the child; the sentence why is on standard error, the report on standard output. */
export const ChildExit = { done: 0, refused: 3 } as const
