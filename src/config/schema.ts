/** The configuration, whole and validated. `gocore-sink.conf(5)` documents each key; `keys.ts` reads and writes them. */

export interface Config {
  /** Root of the archive. */
  archive: string
  /** Where the catalog and the daemon's lock live on this machine; never on a network file system. */
  state: string
  /** The daemon's socket. */
  run: string
  /** Group that may read dumps of ordinary (dumpable 1) processes; empty for root alone. */
  group: string
  /** Users may list and read the dumps of their own ordinary processes. */
  userAccess: boolean
  /** Bytes of one core that are kept at most; beyond it the dump is cut and marked `cap`. `Infinity`: no limit. */
  coreMax: number
  /** Handlers at a time, of which half may store whole cores of one program; further crashes wait in line. */
  capturesMax: number
  /** Seconds in line beyond which a core is not stored whole. */
  capturesWait: number
  /** Whole cores that one program's crashes by one signal leave within an hour; null: not limited. */
  capturesPerHour: number | null
  /** The same for all that one user runs. */
  userCapturesPerHour: number | null
  /** Seconds that the handler waits for storage. */
  storageDeadline: number
  /** What to do where RLIMIT_CORE of the process is 0: `store` or `record` (manifest only). */
  rlimitZero: 'store' | 'record'
  /** Names and `PREFIX*` of environment variables that a manifest may carry. */
  environ: string[]
  /** What is taken out of texts of manifests and reports, see `src/base/redact.ts`. */
  redact: string[]
  /** Public keys (age1…) that stored cores are encrypted to; empty: not encrypted. */
  encryptTo: string[]
  /** Cores are analysed before they are encrypted; otherwise not at all. */
  analyseBeforeEncryption: boolean
  /**
   * `maxAge` in seconds, the others in bytes; null: not limited. `keepFree` below 1 is a share of the file system, see
   * `keepFreeBytes`. `keepFirst`, `keepLatest`: dumps of a signature that are kept whole; `shrinkAfter`: seconds after which
   * the others become mini-cores, null: never. `programMaxSize` in bytes. `cron`: when it runs.
   */
  retention: {
    maxAge: number | null
    maxSize: number | null
    keepFree: number | null
    keepFirst: number
    keepLatest: number
    shrinkAfter: number | null
    programMaxSize: number | null
    programMaxCount: number | null
    cron: string
  }
  /** `timeout` in seconds, `memory` and `output` in bytes. `user`: whom a daemon that is root analyses as. */
  analysis: { timeout: number; memory: number; output: number; parallel: number; user: string }
  /** `cron`: the scan that finds what watching missed. `poll`: seconds between looks where watching does not work. */
  scan: { cron: string; poll: number }
  /** Bytes that the spool may hold, below 1 a share of its file system; null: what there is. */
  spoolMax: number | null
  /** Most bytes a second at which dumps are brought home from the spool; null: not limited. */
  shipRate: number | null
  /** Whether what the kernel refused to dump is recorded, from its log. */
  kernelLog: boolean
  hooks: Hooks
  logLevel: LogLevel
}

/** Who is told of crashes of this machine. */
export interface Hooks {
  /** A program with its arguments, run without a shell; empty for none. */
  command: string[]
  /** Where events are posted to. */
  urls: string[]
  /** File with the key that signs them; empty for no signature. */
  key: string
  on: HookEvent[]
  /** Seconds of silence after which a signature that is back is a regression. */
  regressionAfter: number
  /** Events within an hour; null: not limited. */
  perHour: number | null
}

export const hookEvents = ['crash', 'new-signature', 'regression'] as const
export type HookEvent = (typeof hookEvents)[number]

export const logLevels = ['debug', 'info', 'warning', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

/** An archive on this machine's own disk, for dumps that the archive does not take; the daemon brings them home. */
export const spoolRoot = ({ state }: Pick<Config, 'state'>): string => `${state}/spool`

/** Events that wait for whoever is to be told. */
export const outboxOf = ({ state }: Pick<Config, 'state'>): string => `${state}/outbox`

/** What `keepFree` means on a file system of `total` bytes. */
export const keepFreeBytes = (keepFree: number, total: number): number =>
  keepFree < 1 ? Math.floor(keepFree * total) : keepFree

export const defaultConfigPath = '/etc/gocore-sink.conf'

/** A fresh copy: callers may change theirs. */
export function defaultConfig(): Config {
  return {
    archive: '/var/lib/gocore-sink',
    state: '/var/lib/gocore-sink-state',
    run: '/run/gocore-sink',
    group: '',
    userAccess: false,
    coreMax: Number.POSITIVE_INFINITY,
    capturesMax: 16,
    capturesWait: 5,
    capturesPerHour: null,
    userCapturesPerHour: null,
    storageDeadline: 2,
    rlimitZero: 'record',
    environ: [
      ...[
        'GOTRACEBACK',
        'GOMAXPROCS',
        'GOGC',
        'GOMEMLIMIT',
        'GODEBUG',
        'GORACE',
        'GOCOVERDIR',
        'GOCORE_SINK_RUN',
      ],
      ...['PATH', 'HOME', 'PWD', 'USER', 'LOGNAME', 'SHELL', 'TERM', 'LANG', 'LC_*', 'TZ', 'TMPDIR'],
      ...['HOSTNAME', 'INVOCATION_ID', 'LISTEN_FDS', 'NOTIFY_SOCKET'],
      ...['POD_NAME', 'POD_NAMESPACE', 'POD_IP', 'NODE_NAME', 'KUBERNETES_SERVICE_HOST'],
    ],
    redact: [
      ...['password=*', '-password *', 'passwd=*', 'token=*', '-token *', 'secret=*', '-secret *'],
      ...['api-key=*', 'apikey=*', 'api_key=*', 'Authorization: Bearer *', 'Authorization: Basic *'],
    ],
    encryptTo: [],
    analyseBeforeEncryption: true,
    retention: {
      ...{ maxAge: 90 * day, maxSize: null, keepFree: 0.05 },
      ...{ keepFirst: 3, keepLatest: 10, shrinkAfter: day },
      ...{ programMaxSize: null, programMaxCount: null },
      cron: '17 * * * *',
    },
    analysis: { timeout: 300, memory: 2 ** 30, output: 64 * 2 ** 20, parallel: 1, user: 'gocore-sink' },
    scan: { cron: '*/5 * * * *', poll: 10 },
    spoolMax: 0.5,
    shipRate: 50 * 2 ** 20,
    kernelLog: true,
    hooks: {
      ...{ command: [], urls: [], key: '', on: ['new-signature', 'regression'] },
      ...{ regressionAfter: 7 * day, perHour: 60 },
    },
    logLevel: 'info',
  }
}

const day = 24 * 60 * 60
