/**
 * The keys of the configuration file, as one table: name, where the value goes, how it is read and written, and the
 * comment that the default file carries. `gocore-sink.conf(5)` has one paragraph for each row, and a test holds the two together.
 */
import { isAbsolute, normalize } from 'node:path'
import { isBech32 } from '../base/bech32.ts'
import { parseRedaction } from '../base/redact.ts'
import { type Config, hookEvents, logLevels } from './schema.ts'
import { formatDuration, formatShare, formatSize, parseDuration, parseSize } from './units.ts'

export interface Key {
  readonly name: string
  /** One line for the default file. */
  readonly comment: string
  /** Lists grow with each assignment; an empty one empties them. */
  readonly list: boolean
  /** Throws an Error whose message says what is wrong with the text; of a list, all else of it counts. */
  read(config: Config, text: string): void
  write(config: Config): string
}

interface Kind<T> {
  parse(text: string): T
  format(value: T): string
}

const absolutePath: Kind<string> = {
  parse(text) {
    if (!isAbsolute(text) || text.includes('\0'))
      throw new Error(`${JSON.stringify(text)} is not an absolute path`)
    const path = normalize(text).replace(/(?<=.)\/$/, '')
    if (path === '/') throw new Error('the root directory can not be used')
    return path
  },
  format: value => value,
}

/** A user or group as shadow's useradd allows it, or nothing. */
const account: Kind<string> = {
  parse(text) {
    if (!/^([a-z_][a-z0-9_-]{0,30}\$?)?$/i.test(text))
      throw new Error(`${JSON.stringify(text)} is not an account name`)
    return text
  },
  format: value => value,
}

const size = (least: number): Kind<number> => ({
  parse(text) {
    const bytes = parseSize(text)
    if (bytes < least) throw new Error(`${text} is less than the least of ${formatSize(least)}`)
    return bytes
  },
  format: formatSize,
})

/** A size, or a share of the whole as `5%`, which is held as 0.05. */
const sizeOrShare: Kind<number> = {
  parse(text) {
    const share = /^(\d{1,2}(?:\.\d+)?)\s*%$/.exec(text)
    return share ? Number(share[1]) / 100 : parseSize(text)
  },
  format: value => (value > 0 && value < 1 ? formatShare(value) : formatSize(value)),
}

/** What deletes dumps is not to take a slip of the pen for its word. */
const leastLimit = 64 * 2 ** 20

/** The same as a limit of retention. */
const sizeToKeepFree: Kind<number> = {
  parse(text) {
    const value = sizeOrShare.parse(text)
    if (value >= 1 && value < 2 ** 20)
      throw new Error(
        `${text} is less than the least of 1M; a share of the file system is written as ${text}%`,
      )
    if (value < 1 && value > 0.9) throw new Error(`${text} is more than the most of 90%`)
    return value
  },
  format: sizeOrShare.format,
}

const duration = (least: number, most: number): Kind<number> => ({
  parse(text) {
    const seconds = parseDuration(text)
    if (seconds < least || seconds > most)
      throw new Error(`${text} is not between ${formatDuration(least)} and ${formatDuration(most)}`)
    return seconds
  },
  format: formatDuration,
})

/** One that nobody means in seconds: whoever gives no unit has left it out. */
const longDuration = (least: number, most: number): Kind<number> => ({
  parse(text) {
    if (/^[\d.]*[1-9][\d.]*$/.test(text)) throw new Error(`${text} has no unit: is it ${text}s or ${text}d?`)
    return duration(least, most).parse(text)
  },
  format: formatDuration,
})

const count = (least: number, most: number): Kind<number> => ({
  parse(text) {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
    if (!(value >= least && value <= most))
      throw new Error(`${JSON.stringify(text)} is not a number from ${least} to ${most}`)
    return value
  },
  format: String,
})

/** `infinity` as in systemd, held as `none`. */
const orInfinity = <N>(kind: Kind<number>, none: N): Kind<number | N> => ({
  parse: text => (text === 'infinity' ? none : kind.parse(text)),
  format: value => (value === none ? 'infinity' : kind.format(value as number)),
})

const oneOf = <T extends string>(values: readonly T[]): Kind<T> => ({
  parse(text) {
    const value = values.find(known => known === text)
    if (value === undefined) throw new Error(`${JSON.stringify(text)} is not one of ${values.join(', ')}`)
    return value
  },
  format: value => value,
})

/** As systemd reads them. */
const yesOrNo: Kind<boolean> = {
  parse(text) {
    if (/^(yes|true|on|1)$/i.test(text)) return true
    if (/^(no|false|off|0)$/i.test(text)) return false
    throw new Error(`${JSON.stringify(text)} is neither yes nor no`)
  },
  format: value => (value ? 'yes' : 'no'),
}

/** Words, and in double quotes texts with spaces. */
const words = (text: string): string[] =>
  [...text.matchAll(/"([^"]*)"|\S+/g)].map(([word, quoted]) => quoted ?? word)

const quoted = (word: string): string => (/\s/.test(word) ? `"${word}"` : word)

/** As age's native recipients have it: of one that is none, the daemon would learn with the first core. */
const recipient: Kind<string> = {
  parse(text) {
    if (!/^age1(pq1)?[ac-hj-np-z02-9]{58,2000}$/.test(text))
      throw new Error(`${JSON.stringify(text.slice(0, 80))} is not a public key of age (age1…)`)
    if (!isBech32(text))
      throw new Error(`${JSON.stringify(text.slice(0, 80))} is mistyped: its checksum is wrong`)
    return text
  },
  format: value => value,
}

/** A program and its arguments, split at spaces outside double quotes: no shell reads it. */
const commandLine: Kind<string[]> = {
  parse(text) {
    const argv = words(text)
    if (argv[0] !== undefined) absolutePath.parse(argv[0])
    return argv
  },
  format: argv => argv.map(quoted).join(' '),
}

const optionalPath: Kind<string> = {
  parse: text => (text === '' ? '' : absolutePath.parse(text)),
  format: value => value,
}

const url: Kind<string> = {
  parse(text) {
    const { protocol, username, password } = URL.parse(text) ?? {}
    if (protocol !== 'http:' && protocol !== 'https:')
      throw new Error(`${JSON.stringify(text.slice(0, 200))} is not an address of http or https`)
    if (username || password)
      throw new Error('an address must not hold a password: WebhookKey signs what is sent')
    return text
  },
  format: value => value,
}

/** Only the shape: node-cron, which the handler must not load, has the last word when the daemon starts, and in doctor. */
const cron: Kind<string> = {
  parse(text) {
    const fields = text.split(/\s+/)
    if (fields.length < 5 || fields.length > 6 || !fields.every(field => /^[\d*/,a-z-]+$/i.test(field)))
      throw new Error(`${JSON.stringify(text)} is not a cron expression of five or six fields`)
    return fields.join(' ')
  },
  format: value => value,
}

const environName: Kind<string> = {
  parse(text) {
    if (!/^([A-Za-z_][A-Za-z0-9_]*\*?|\*)$/.test(text))
      throw new Error(`${JSON.stringify(text)} is not a variable's name or PREFIX*`)
    return text
  },
  format: value => value,
}

const list = <T>(
  name: string,
  comment: string,
  parse: (word: string) => T,
  get: (config: Config) => readonly T[],
  set: (config: Config, values: T[]) => void,
): Key => ({
  name,
  comment,
  list: true,
  read(config, text) {
    const faults: string[] = []
    const all = words(text)
    const values = all.flatMap(word => {
      try {
        return [parse(word)]
      } catch (error) {
        faults.push((error as Error).message)
        return []
      }
    })
    // One slip in a list of what is secret lays nothing else open.
    set(config, all.length > 0 ? [...new Set([...get(config), ...values])] : [])
    if (faults.length > 0) throw new Error(faults.join('; '))
  },
  write: config =>
    get(config)
      .map(value => quoted(String(value)))
      .join(' '),
})

const key = <T>(
  name: string,
  comment: string,
  kind: Kind<T>,
  get: (config: Config) => T,
  set: (config: Config, value: T) => void,
): Key => ({
  name,
  comment,
  list: false,
  read: (config, text) => set(config, kind.parse(text)),
  write: config => kind.format(get(config)),
})

export const keys: readonly Key[] = [
  key(
    'ArchiveDirectory',
    'Where dumps and executables are kept; shared storage as a rule.',
    absolutePath,
    c => c.archive,
    (c, v) => {
      c.archive = v
    },
  ),
  key(
    'StateDirectory',
    "The catalog and the daemon's lock; a disk of this machine.",
    absolutePath,
    c => c.state,
    (c, v) => {
      c.state = v
    },
  ),
  key(
    'RuntimeDirectory',
    "The daemon's socket.",
    absolutePath,
    c => c.run,
    (c, v) => {
      c.run = v
    },
  ),
  key(
    'Group',
    'Who may read dumps of ordinary processes besides root; empty for nobody.',
    account,
    c => c.group,
    (c, v) => {
      c.group = v
    },
  ),
  key(
    'UserAccess',
    'Whether users may list and read the dumps of their own processes.',
    yesOrNo,
    c => c.userAccess,
    (c, v) => {
      c.userAccess = v
    },
  ),
  key(
    'CoreMax',
    'Bytes of one core that are kept at most.',
    orInfinity(size(4096), Number.POSITIVE_INFINITY),
    c => c.coreMax,
    (c, v) => {
      c.coreMax = v
    },
  ),
  key(
    'CapturesMax',
    'Crashes that are recorded at the same time; more wait in line.',
    count(1, 10_000),
    c => c.capturesMax,
    (c, v) => {
      c.capturesMax = v
    },
  ),
  key(
    'CapturesWait',
    'A crash that waited in line for longer is kept without its heap, and after 12 times as long without a core.',
    duration(1, 600),
    c => c.capturesWait,
    (c, v) => {
      c.capturesWait = v
    },
  ),
  key(
    'CapturesPerHour',
    "Whole cores that one program's crashes by one signal leave within an hour.",
    orInfinity(count(1, 1_000_000), null),
    c => c.capturesPerHour,
    (c, v) => {
      c.capturesPerHour = v
    },
  ),
  key(
    'UserCapturesPerHour',
    "Whole cores that all of one user's crashes leave within an hour.",
    orInfinity(count(1, 1_000_000), null),
    c => c.userCapturesPerHour,
    (c, v) => {
      c.userCapturesPerHour = v
    },
  ),
  key(
    'StorageDeadline',
    'How long the handler waits for storage.',
    duration(1, 3600),
    c => c.storageDeadline,
    (c, v) => {
      c.storageDeadline = v
    },
  ),
  key(
    'RlimitZero',
    'Processes whose RLIMIT_CORE is 0: "record" the crash alone, or "store" the core too.',
    oneOf(['record', 'store'] as const),
    c => c.rlimitZero,
    (c, v) => {
      c.rlimitZero = v
    },
  ),
  list(
    'Environ',
    'Environment variables that may be recorded: names and PREFIX*. Repeat to add; empty to clear.',
    environName.parse,
    c => c.environ,
    (c, v) => {
      c.environ = v
    },
  ),
  list(
    'Redact',
    'What is taken out of command lines and reports: texts in which * stands for a secret. Repeat to add; empty to clear.',
    parseRedaction,
    c => c.redact,
    (c, v) => {
      c.redact = v
    },
  ),
  list(
    'EncryptTo',
    'Public keys (age1…) that stored cores are encrypted to. Repeat to add; empty for no encryption.',
    recipient.parse,
    c => c.encryptTo,
    (c, v) => {
      c.encryptTo = v
    },
  ),
  key(
    'AnalyseBeforeEncryption',
    'Whether cores that are to be encrypted are analysed first, or not at all.',
    yesOrNo,
    c => c.analyseBeforeEncryption,
    (c, v) => {
      c.analyseBeforeEncryption = v
    },
  ),
  key(
    'MaxAge',
    'Dumps older than this are deleted.',
    orInfinity(longDuration(60, 3.2e9), null),
    c => c.retention.maxAge,
    (c, v) => {
      c.retention.maxAge = v
    },
  ),
  key(
    'MaxSize',
    'The oldest dumps are deleted while the archive takes more than this.',
    orInfinity(size(leastLimit), null),
    c => c.retention.maxSize,
    (c, v) => {
      c.retention.maxSize = v
    },
  ),
  key(
    'KeepFree',
    'The oldest dumps are deleted while the file system has less than this free, bytes or 5%.',
    orInfinity(sizeToKeepFree, null),
    c => c.retention.keepFree,
    (c, v) => {
      c.retention.keepFree = v
    },
  ),
  key(
    'KeepFirst',
    'So many of the first dumps of a signature are kept whole; 0 for none.',
    count(0, 1_000_000),
    c => c.retention.keepFirst,
    (c, v) => {
      c.retention.keepFirst = v
    },
  ),
  key(
    'KeepLatest',
    'So many of the latest dumps of a signature are kept whole; 0 for none.',
    count(0, 1_000_000),
    c => c.retention.keepLatest,
    (c, v) => {
      c.retention.keepLatest = v
    },
  ),
  key(
    'ShrinkAfter',
    'The other dumps of a signature become mini-cores when they are so old; infinity for never.',
    orInfinity(longDuration(0, 3.2e9), null),
    c => c.retention.shrinkAfter,
    (c, v) => {
      c.retention.shrinkAfter = v
    },
  ),
  key(
    'ProgramMaxSize',
    "The oldest of one program's dumps go while they take more than this.",
    orInfinity(size(leastLimit), null),
    c => c.retention.programMaxSize,
    (c, v) => {
      c.retention.programMaxSize = v
    },
  ),
  key(
    'ProgramMaxCount',
    "The oldest of one program's dumps are deleted while there are more than this.",
    orInfinity(count(1, 1_000_000_000), null),
    c => c.retention.programMaxCount,
    (c, v) => {
      c.retention.programMaxCount = v
    },
  ),
  key(
    'RetentionSchedule',
    'When that is done, as a cron expression.',
    cron,
    c => c.retention.cron,
    (c, v) => {
      c.retention.cron = v
    },
  ),
  key(
    'AnalysisTimeout',
    'An analysis that takes longer is ended.',
    duration(1, 86400),
    c => c.analysis.timeout,
    (c, v) => {
      c.analysis.timeout = v
    },
  ),
  key(
    'AnalysisMemory',
    'Memory that one analysis may take.',
    size(64 * 2 ** 20),
    c => c.analysis.memory,
    (c, v) => {
      c.analysis.memory = v
    },
  ),
  key(
    'AnalysisOutput',
    'Bytes that one report may have.',
    size(64 * 2 ** 10),
    c => c.analysis.output,
    (c, v) => {
      c.analysis.output = v
    },
  ),
  key(
    'AnalysisParallel',
    'How many dumps are analysed at the same time.',
    count(1, 64),
    c => c.analysis.parallel,
    (c, v) => {
      c.analysis.parallel = v
    },
  ),
  key(
    'AnalysisUser',
    'Whom a daemon that runs as root analyses as, nobody where there is no such user; empty for root.',
    account,
    c => c.analysis.user,
    (c, v) => {
      c.analysis.user = v
    },
  ),
  key(
    'ScanSchedule',
    'When the whole archive is looked through for what was missed, as a cron expression.',
    cron,
    c => c.scan.cron,
    (c, v) => {
      c.scan.cron = v
    },
  ),
  key(
    'PollInterval',
    'How often new dumps are looked for on network file systems.',
    duration(1, 3600),
    c => c.scan.poll,
    (c, v) => {
      c.scan.poll = v
    },
  ),
  key(
    'SpoolMax',
    'What the spool holds at most, bytes or 50% of its file system; beyond it crashes leave small records.',
    orInfinity(sizeOrShare, null),
    c => c.spoolMax,
    (c, v) => {
      c.spoolMax = v
    },
  ),
  key(
    'ShipRate',
    'Most bytes a second at which dumps go from the spool to the archive.',
    orInfinity(size(64 * 1024), null),
    c => c.shipRate,
    (c, v) => {
      c.shipRate = v
    },
  ),
  key(
    'KernelLog',
    'Whether crashes of which the kernel log alone tells are recorded.',
    yesOrNo,
    c => c.kernelLog,
    (c, v) => {
      c.kernelLog = v
    },
  ),
  key(
    'Hook',
    'A program, with arguments, that is told of crashes: an event in JSON on its standard input.',
    commandLine,
    c => c.hooks.command,
    (c, v) => {
      c.hooks.command = v
    },
  ),
  list(
    'Webhook',
    'Addresses (http, https) that events are posted to. Repeat to add; empty to clear.',
    url.parse,
    c => c.hooks.urls,
    (c, v) => {
      c.hooks.urls = v
    },
  ),
  key(
    'WebhookKey',
    'A file whose text signs what is posted (HMAC-SHA256).',
    optionalPath,
    c => c.hooks.key,
    (c, v) => {
      c.hooks.key = v
    },
  ),
  list(
    'HookOn',
    'Events that are told: crash, new-signature, regression. Repeat to add; empty to clear.',
    oneOf(hookEvents).parse,
    c => c.hooks.on,
    (c, v) => {
      c.hooks.on = v
    },
  ),
  key(
    'RegressionAfter',
    'A crash of a known kind is a regression after so long a silence.',
    longDuration(60, 3.2e9),
    c => c.hooks.regressionAfter,
    (c, v) => {
      c.hooks.regressionAfter = v
    },
  ),
  key(
    'HooksPerHour',
    'Events within an hour; the next one tells how many were left out.',
    orInfinity(count(1, 1_000_000), null),
    c => c.hooks.perHour,
    (c, v) => {
      c.hooks.perHour = v
    },
  ),
  key(
    'LogLevel',
    'The least important lines to log: debug, info, warning or error.',
    oneOf(logLevels),
    c => c.logLevel,
    (c, v) => {
      c.logLevel = v
    },
  ),
]
