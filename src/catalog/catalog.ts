/**
 * The catalog: a local, rebuildable index over the archive's manifests and reports. It takes plain rows and knows
 * nothing of how they are made. One implementation is SQLite (`sqlite/`).
 */

export interface CrashRow {
  id: string
  /** `YYYY/MM/DD`. */
  day: string
  /** Milliseconds since the epoch. */
  time: number
  host: string
  pid: number
  uid: number
  comm: string
  exe: string
  signal: number
  signalName: string
  coreState: 'complete' | 'truncated' | 'none'
  coreReason: string | null
  rawSize: number
  storedSize: number
  expectedSize: number | null
  heldMs: number
  pinned: boolean
  /** On hold: not to be deleted by anybody. */
  held: boolean
  /** The core is a mini-core; `rawSize` and `expectedSize` are of the whole one. */
  shrunk: boolean
  /** `pending`: not analysed; `done`; `failed`: see `analysisError`; `none`: nothing to analyse. */
  analysis: 'pending' | 'done' | 'failed' | 'none'
  analysisError: string | null
  goVersion: string | null
  /** Main module's version or short revision. */
  programVersion: string | null
  deathKind: string | null
  /** `panic: …`, `fatal error: …`, `SIGSEGV at 0x…`. */
  cause: string | null
  /** `cache.go:41`. */
  causeAt: string | null
  signatureKey: string | null
  signatureText: string | null
  goroutines: number | null
}

/** What full-text search reads of one crash. */
export interface CrashText {
  message: string
  /** Function names and file:line of all distinct frames, one per line. */
  frames: string
}

export interface CrashFilter {
  since?: number
  until?: number
  /** Substring of the executable's path or name; globs with `*`. */
  exe?: string
  pid?: number
  uid?: number
  signal?: number
  host?: string
  /** Prefix of the Go version, with or without `go`. */
  go?: string
  signature?: string
  /** Words to find in messages and frames. */
  text?: string
  pinned?: boolean
  analysis?: CrashRow['analysis']
  /** Only those whose handler was killed, or failed. */
  handlerKilled?: true
  limit?: number
  /** Oldest first. */
  reverse?: boolean
}

export interface SignatureRow {
  key: string
  text: string
  count: number
  first: number
  last: number
  hosts: number
  /** At most ten. */
  programs: string[]
  latestId: string
}

export interface Catalog {
  /**
   * Inserts or replaces by id. Without `text` or `manifestTime`, that which is stored stays: the latter is when the manifest was written
   * that the row was made of, milliseconds by its storage's clock.
   */
  put(row: CrashRow, text?: CrashText, manifestTime?: number): void
  remove(id: string): void
  get(id: string): CrashRow | undefined
  /** At most `limit` rows whose id begins with `prefix`, newest first. */
  byPrefix(prefix: string, limit: number): CrashRow[]
  latest(): CrashRow | undefined
  /** Newest first, the id deciding between equal times. */
  list(filter: CrashFilter): CrashRow[]
  search(words: string, filter: CrashFilter): (CrashRow & { snippet: string })[]
  /** The signatures that occur most, most frequent first; `limit` counts signatures. */
  top(filter: CrashFilter): SignatureRow[]
  /** Newest first: whoever looks at a machine in trouble wants the last crash. */
  pending(limit: number): CrashRow[]
  /** The days that it has crashes of, newest first. */
  days(): string[]
  /** The ids of one day, for comparison with the archive. */
  ids(day: string): string[]
  /** By id, of one day: what `put` was told of each row's manifest, null for nothing. */
  manifestTimes(day: string): Map<string, number | null>
  /** Damage found in the stored data itself, one sentence each; none in a sound catalog. */
  check(): string[]
  /** Empties it, keeping the schema. */
  clear(): void
  transaction<T>(work: () => T): T
  /** Its file was deleted or replaced: nobody else reads what is written here. */
  isReplaced(): boolean
  close(): void
}
