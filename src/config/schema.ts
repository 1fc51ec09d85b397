/** The configuration, whole and validated. `gocore-sink.conf(5)` documents each key. */

export interface Config {
  /** Root of the archive. */
  archive: string
  /** Where the catalog, the socket and locks live on this machine. */
  state: string
  run: string
  /** Group that may read dumps of ordinary (dumpable 1) processes; empty for root alone. */
  group: string
  /** Bytes of one core that are kept at most; beyond it the dump is cut and marked `cap`. */
  coreMax: number
  /** Seconds that the handler waits for storage. */
  storageDeadline: number
  /** What to do where RLIMIT_CORE of the process is 0: `store` or `record` (manifest only). */
  rlimitZero: 'store' | 'record'
  /** Names and `PREFIX*` of environment variables that a manifest may carry. */
  environ: string[]
  retention: { maxAge: number | null; maxSize: number | null; keepFree: number | null }
  analysis: { timeout: number; memory: number; output: number; parallel: number }
  scan: { cron: string; poll: number }
  logLevel: 'debug' | 'info' | 'warning' | 'error'
}
