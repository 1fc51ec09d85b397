/**
 * The facts of /proc/PID, read before the first byte of the core: the process waits in the kernel until its dump is
 * read, so what is there is its own. /proc/PID is opened once and every text is read through that descriptor, which
 * belongs to this one process whatever becomes of its number; who owns the dump is decided by the kernel's arguments
 * and never by what stands here (CVE-2025-4598). Each text is bounded, and what can't be read is a note.
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
} from 'node:fs'
import type { ProcessFacts } from '../archive/manifest.ts'
import { reasonOf } from '../base/errors.ts'
import { escapeBytes, escapeText } from '../base/escape.ts'
import { compileRedactions, type Redaction, redactArguments, redactNamed } from '../base/redact.ts'
import type { CrashArguments } from './argv.ts'
import { covers } from './foreign-memory.ts'
import {
  type AddressRange,
  allowedEnvironment,
  type FileRange,
  type Mapping,
  parseAnonymous,
  parseCgroup,
  parseFileRanges,
  parseMaps,
  parseStat,
  type Stat,
  statusValue,
} from './proc-text.ts'
import { userNamespaceOwner } from './user-namespace.ts'

const kilobyte = 1024
const mostFiles = 1024
/** 65,530 mappings, which the kernel grants by default, of 120 bytes each. */
const mostMaps = 8192 * kilobyte

export interface Snapshot {
  facts: ProcessFacts
  mappings: Mapping[]
  /** Private mappings without a file. */
  anonymous: AddressRange[]
  /** Mappings with one; undefined where not all of them are known. */
  files: FileRange[] | undefined
  notes: string[]
  /** Path through the open descriptor; undefined where the process could not be opened or is another one. */
  directory?: string
  close(): void
}

/** Reads everything about the crashed process. Never throws. */
export function takeSnapshot(
  crash: CrashArguments,
  environ: readonly string[],
  redact: readonly string[] = [],
  proc = '/proc',
): Snapshot {
  const notes: string[] = []
  const facts: ProcessFacts = {
    pid: crash.pid,
    uid: crash.uid,
    gid: crash.gid,
    comm: escapeBytes(crash.comm),
    ...(crash.tid === undefined ? {} : { tid: crash.tid }),
  }
  const snapshot: Snapshot = { facts, mappings: [], anonymous: [], files: undefined, notes, close: () => {} }
  if (crash.pid === 0) return snapshot
  let fd: number
  try {
    fd = openSync(`${proc}/${crash.pid}`, constants.O_RDONLY | constants.O_DIRECTORY)
  } catch (error) {
    notes.push(
      `Could not open /proc/${crash.pid}, storing the core without facts of the process: ${reasonOf(error)}`,
    )
    return snapshot
  }
  snapshot.close = () => closeSync(fd)
  const reader = new ProcReader(`/proc/self/fd/${fd}`, crash.pid, notes)
  const mismatch = pidfdMismatch(crash)
  if (mismatch !== undefined) {
    notes.push(`${mismatch}, storing the core without facts of the process`)
    return snapshot
  }
  const before = reader.text('stat', 4 * kilobyte)
  const other = otherProcess(reader, crash, fstatSync(fd).uid)
  if (other !== undefined) {
    notes.push(`${other}, storing the core without facts of the process`)
    return snapshot
  }
  const started = before === undefined ? undefined : parseStat(before.toString('latin1'))
  const maps = reader.text('maps', mostMaps)
  if (maps !== undefined) {
    const text = maps.toString('latin1')
    snapshot.mappings = parseMaps(maps.toString('utf8'))
    snapshot.anonymous = parseAnonymous(text)
    if (maps.length < mostMaps) snapshot.files = parseFileRanges(text)
    else
      notes.push(`/proc/${crash.pid}/maps is longer than ${mostMaps} bytes, leaving the memory to the kernel`)
    const lines = text.split('\n').filter(line => line.includes(' /'))
    facts.mappings = escapeLines(Buffer.from(lines.join('\n'), 'latin1'), 256 * kilobyte)
  }
  readFacts(reader, facts)
  readWords(reader, snapshot, started, environ, compileRedactions(redact))
  const after = reader.text('stat', 4 * kilobyte)
  const still = after === undefined ? undefined : parseStat(after.toString('latin1'))
  if (started !== undefined) {
    facts.ppid = started.ppid
    facts.threads = started.threads
    facts.start_ticks = started.startTicks
  }
  if (started?.startTicks !== still?.startTicks || pidfdMismatch(crash) !== undefined) {
    notes.push(`Process ${crash.pid} went away while /proc was read: what is told of it may be incomplete`)
    return snapshot
  }
  if (crash.pidfd !== undefined) facts.pidfd = true
  snapshot.directory = reader.directory
  return snapshot
}

/**
 * Without a pidfd a number is all there is, and it may have gone to another process: one that is not being dumped, is
 * another user's, or is for root's eyes where ours is for its user's. A sentence where it has. `owner`: of /proc/PID, which
 * is the effective user where the process is dumpable, and root where it is not (proc_pid(5)).
 */
function otherProcess(
  reader: ProcReader,
  { pid, uid, pidfd, dumpable }: CrashArguments,
  owner: number,
): string | undefined {
  if (pidfd !== undefined) return undefined
  const status = reader.text('status', 16 * kilobyte)?.toString('latin1')
  if (status === undefined) return undefined
  if (statusValue(status, 'CoreDumping') === '0')
    return `Process ${pid} is not dumping core: its number has gone to another process`
  const real = statusValue(status, 'Uid')?.split(/\s/)[0]
  if (real !== undefined && real !== String(uid))
    return `Process ${pid} belongs to user ${real} and not ${uid}: its number has gone to another process`
  return dumpable === 1 && uid !== 0 && owner !== uid
    ? `Process ${pid} is not one that its user may see: its number has gone to another process`
    : undefined
}

function readFacts(reader: ProcReader, facts: ProcessFacts): void {
  const set = <K extends keyof ProcessFacts>(key: K, value: ProcessFacts[K] | undefined): void => {
    if (value !== undefined) facts[key] = value
  }
  set('exe', reader.link('exe'))
  set('cwd', reader.link('cwd'))
  set('root', reader.link('root'))
  set('user_namespace_owner', userNamespaceOwner(reader.directory))
  const cgroup = reader.text('cgroup', 16 * kilobyte)
  if (cgroup !== undefined) {
    const { path, container } = parseCgroup(cgroup.toString('utf8'))
    set('cgroup', path === undefined ? undefined : escapeText(path))
    set('container', container)
  }
  const limits = reader.text('limits', 8 * kilobyte)
  set('limits', limits && escapeLines(limits, 8 * kilobyte))
  const status = reader.text('status', 16 * kilobyte)
  set('status', status && escapeLines(status, 16 * kilobyte))
  set('auxv', reader.text('auxv', 4 * kilobyte)?.toString('hex'))
  set('open_files', reader.openFiles())
}

/**
 * Arguments and environment, which are the process's own memory: where a file is mapped in their place, or where they lie is
 * not known, they are left alone (`foreign-memory.ts`).
 */
function readWords(
  reader: ProcReader,
  { facts, anonymous, notes }: Snapshot,
  stat: Stat | undefined,
  environ: readonly string[],
  redact: Redaction,
): void {
  const isOwn = ({ start, end }: AddressRange): boolean => start > 0 && covers(anonymous, start, end)
  if (stat === undefined || !isOwn(stat.arguments) || !isOwn(stat.environment)) {
    notes.push(
      'Arguments and environment lie in no memory of the process’s own, storing the core without them',
    )
    return
  }
  const cmdline = reader.text('cmdline', 64 * kilobyte)
  if (cmdline !== undefined) facts.cmdline = redactArguments(splitArguments(cmdline), redact)
  const environment = reader.text('environ', 256 * kilobyte)
  if (environment !== undefined)
    facts.environ = Object.fromEntries(
      allowedEnvironment(environment, environ).map(([name, value]) => [
        name,
        redactNamed(name, escapeBytes(value, 4 * kilobyte), redact),
      ]),
    )
}

/** Arguments one by one, without the empty one that the last NUL leaves. */
function splitArguments(bytes: Buffer): string[] {
  const parts: string[] = []
  for (let at = 0; at < bytes.length && parts.length < 1024; ) {
    const end = bytes.indexOf(0, at)
    parts.push(escapeBytes(bytes.subarray(at, end < 0 ? bytes.length : end), 8 * kilobyte))
    at = end < 0 ? bytes.length : end + 1
  }
  return parts
}

/** Texts of several lines keep their line ends and tabs. */
function escapeLines(bytes: Buffer, most: number): string {
  const text = bytes.subarray(0, most).toString('latin1')
  return text
    .split('\n')
    .map(line =>
      line
        .split('\t')
        .map(part => escapeBytes(Buffer.from(part, 'latin1'), most))
        .join('\t'),
    )
    .join('\n')
}

/**
 * With a pidfd (Linux 6.16, `%F`) it can be known that /proc/PID is the process that crashed: /proc/self/fdinfo names
 * the process, and -1 once it is gone. A sentence where it is not.
 */
export function pidfdMismatch(crash: CrashArguments, fdinfo = '/proc/self/fdinfo'): string | undefined {
  if (crash.pidfd === undefined) return undefined
  try {
    const pid = /^Pid:\s*(-?[0-9]+)$/m.exec(readFileSync(`${fdinfo}/${crash.pidfd}`, 'latin1'))?.[1]
    if (pid === undefined) return `Descriptor ${crash.pidfd} is not a pidfd`
    return Number(pid) === crash.pid ? undefined : `The pidfd is of process ${pid}, not ${crash.pid}`
  } catch (error) {
    return `Could not read the pidfd: ${reasonOf(error)}`
  }
}

class ProcReader {
  readonly directory: string
  readonly notes: string[]
  readonly #pid: number

  constructor(directory: string, pid: number, notes: string[]) {
    this.directory = directory
    this.notes = notes
    this.#pid = pid
  }

  /** At most `most` bytes of one of the process's files; undefined, with a note, where it can't be read. */
  text(name: string, most: number): Buffer | undefined {
    try {
      const fd = openSync(`${this.directory}/${name}`, constants.O_RDONLY | constants.O_NONBLOCK)
      try {
        return readUpTo(fd, most)
      } finally {
        closeSync(fd)
      }
    } catch (error) {
      this.#note(name, error)
      return undefined
    }
  }

  link(name: string): string | undefined {
    try {
      return escapeBytes(readlinkSync(`${this.directory}/${name}`, 'buffer'))
    } catch (error) {
      this.#note(name, error)
      return undefined
    }
  }

  /** `0: /dev/null` and so on: where each descriptor leads. */
  openFiles(): string[] | undefined {
    try {
      const numbers = readdirSync(`${this.directory}/fd`)
      const files: string[] = []
      for (const number of numbers.slice(0, mostFiles)) {
        try {
          files.push(
            `${number}: ${escapeBytes(readlinkSync(`${this.directory}/fd/${number}`, 'buffer'), kilobyte)}`,
          )
        } catch {
          // Closed in the meantime, or none of ours to know.
        }
      }
      if (numbers.length > mostFiles)
        this.notes.push(`Of ${numbers.length} open files ${mostFiles} are listed`)
      return files
    } catch (error) {
      this.#note('fd', error)
      return undefined
    }
  }

  #note(name: string, error: unknown): void {
    this.notes.push(
      `Could not read /proc/${this.#pid}/${name}, storing the core without it: ${reasonOf(error)}`,
    )
  }
}

function readUpTo(fd: number, most: number): Buffer {
  const chunks: Buffer[] = []
  let length = 0
  while (length < most) {
    const chunk = Buffer.allocUnsafe(Math.min(length === 0 ? 4096 : 65536, most - length))
    const got = readSync(fd, chunk, 0, chunk.length, null)
    if (got === 0) break
    chunks.push(chunk.subarray(0, got))
    length += got
  }
  return Buffer.concat(chunks)
}
