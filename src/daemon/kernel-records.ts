/**
 * Makes dumps without a core of crashes of which the kernel log alone tells, each once: the id of such a record is made
 * of the boot and the line's number in the log, so that whoever reads the line again finds the record there.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { constants, hostname, release } from 'node:os'
import { join } from 'node:path'
import { makeDirectories } from '../archive/directories.ts'
import { DumpWriter } from '../archive/dump-writer.ts'
import {
  type DumpRef,
  dayOf,
  type LocalStore,
  latestDays,
  type Manifest,
  parseManifest,
} from '../archive/index.ts'
import { pendingFile } from '../archive/layout.ts'
import { manifestVersion, mostManifest } from '../archive/manifest.ts'
import { writeFileAtomic } from '../base/atomic-file.ts'
import { escapeText } from '../base/escape.ts'
import { bootId, machineId } from '../base/host-ids.ts'
import { readRegularFile } from '../base/regular-file.ts'
import { toolVersion } from '../base/version.ts'
import type { Catalog } from '../catalog/index.ts'
import { type CrashMoment, type HeardCrashes, momentOf } from './heard-crashes.ts'
import { type KernelCrash, parseKernelLine } from './kernel-crash.ts'
import type { LogPosition, LogRecord } from './kernel-log.ts'

export interface KernelRecordsOptions {
  store: LocalStore
  spool: () => LocalStore
  /** Asked each time: a damaged catalog is replaced. */
  catalog: () => Catalog
  /** Listed, be it that they are there no more. */
  heard?: HeardCrashes
  /** StateDirectory: there lies how far the log has been read. */
  state: string
  /** A handler that has begun is given so long to leave something, milliseconds. */
  patience: () => number
  /** Whether a process is still there; asked of the kernel otherwise. */
  isThere?: (pid: number) => boolean
  onRecord: (ref: DumpRef, sentence: string) => void
}

interface Waiting {
  readonly first: LogRecord
  crash: KernelCrash
  /** When it was read, milliseconds of a clock that does not jump. */
  readonly since: number
}

/**
 * Milliseconds that a process may be held before a byte of it comes, by memory of a file system of its own say. A process that has
 * ended and that nobody waits for is there as well.
 */
const longestHeld = 10 * 60_000
/** At one look: each is synced to storage, and the daemon's sign of life waits meanwhile. The others come with the next. */
const mostWritten = 50

export class KernelRecords {
  readonly #options: KernelRecordsOptions
  readonly #boot: string
  /** The last line that was read; undefined before the first start ever. */
  #sequence: number | undefined
  #stored: number | undefined
  /** Handlers that have begun and of which nothing else is known yet, by process. */
  readonly #waiting = new Map<number, Waiting>()
  /** By process, the dumps that are not listed; read once in a look, where they are asked for. */
  #begun: Map<number, CrashMoment[]> | undefined
  /** The archive's, read once in a look. */
  #days: string[] | undefined
  #written = 0

  constructor(options: KernelRecordsOptions) {
    const boot = bootId()
    if (boot === undefined) throw new Error('the id of this boot is not known')
    this.#options = options
    this.#boot = boot
    const position = readPosition(this.#file)
    if (position !== undefined) this.#sequence = position.boot_id === boot ? position.sequence : -1
  }

  /** Up to this line nothing is left to be done. */
  get done(): number {
    return this.#stored ?? -1
  }

  /**
   * Deals with what is new among these lines, all that are kept. Throws where a record can't be written: it is made the
   * next time that the line comes.
   */
  look(lines: readonly LogRecord[]): void {
    // Of what was before the first start ever, someone else took care.
    this.#sequence ??= lines.at(-1)?.sequence ?? -1
    this.#begun = undefined
    this.#days = undefined
    this.#written = 0
    for (const line of lines) {
      if (line.sequence <= this.#sequence) continue
      if (this.#written >= mostWritten) break
      const crash = parseKernelLine(line.text, line.isKernels)
      if (crash?.pid !== undefined && !line.isKernels) this.#await(line, crash.pid, crash)
      else if (crash?.kind === 'lost') this.#write(line, crash)
      this.#sequence = line.sequence
    }
    for (const [pid, waiting] of this.#waiting) {
      if (this.#written >= mostWritten) break
      if (!this.#isListed(pid, waiting.first)) {
        const patience = this.#options.patience() + 1000 * (waitsOf(waiting.crash) ?? 0)
        const age = performance.now() - waiting.since
        if (age < patience || (age < patience + longestHeld && this.#isThere(pid))) continue
        if (!this.#isBegun(pid, waiting.first)) this.#write(waiting.first, ended(waiting.crash))
      }
      this.#waiting.delete(pid)
    }
    this.#store(this.#sequence)
  }

  #isThere(pid: number): boolean {
    return (this.#options.isThere ?? isThere)(pid)
  }

  get #file(): string {
    return join(this.#options.state, 'kernel-log.json')
  }

  #await(first: LogRecord, pid: number, crash: KernelCrash): void {
    const waiting = this.#waiting.get(pid)
    // The number of a process that is long gone may come again.
    const isNew =
      waiting === undefined ||
      (crash.kind === 'begun' && !crash.isAgain && first.sequence > waiting.first.sequence)
    if (waiting !== undefined && isNew && !this.#isKnown(pid, waiting.first))
      this.#write(waiting.first, ended(waiting.crash))
    if (isNew) this.#waiting.set(pid, { first, crash, since: performance.now() })
    else waiting.crash = crash
  }

  /** What waits is read again after a restart. */
  #store(last: number): void {
    const begun = Math.min(...[...this.#waiting.values()].map(({ first }) => first.sequence - 1))
    const sequence = Math.min(begun, last)
    if (sequence === this.#stored) return
    const position: LogPosition = { boot_id: this.#boot, sequence }
    writeFileAtomic(this.#file, `${JSON.stringify(position)}\n`, { mode: 0o600 })
    this.#stored = sequence
  }

  #isKnown(pid: number, line: LogRecord): boolean {
    return this.#isListed(pid, line) || this.#isBegun(pid, line)
  }

  /**
   * The catalog has the dump of this process that began when the line was written, or had it: one that was listed is not lost,
   * though somebody may have removed it since.
   */
  #isListed(pid: number, line: LogRecord): boolean {
    const { store, catalog, heard } = this.#options
    if (heard?.has(crash => this.#isOf(pid, line, crash))) return true
    const listed = catalog().list({ pid, limit: 100 })
    return listed.some(ref => this.#isOf(pid, line, readManifest(store, ref)))
  }

  /** Archive or spool has such a dump, finished or in the making, that is not listed yet. */
  #isBegun(pid: number, line: LogRecord): boolean {
    this.#begun ??= Map.groupBy(this.#unlisted(), ({ process }) => process.pid)
    return this.#begun.get(pid)?.some(crash => this.#isOf(pid, line, crash)) ?? false
  }

  *#unlisted(): Generator<CrashMoment> {
    const { store, catalog, spool } = this.#options
    for (const place of [store, spool()])
      for (const day of latestDays(place.days(), 3)) {
        const known = new Set(place === store ? catalog().ids(day) : [])
        for (const id of place.ids(day)) {
          const manifest = known.has(id) ? undefined : readManifest(place, { id, day })
          if (manifest !== undefined) yield momentOf(manifest)
        }
      }
  }

  /** The line may be as old as the wait in line before the handler began. */
  #isOf(pid: number, { microseconds }: LogRecord, manifest: CrashMoment | undefined): boolean {
    if (manifest?.process.pid !== pid || manifest.host.boot_id !== this.#boot) return false
    const since = (manifest.monotonic_ns ?? 0) / 1000 - microseconds
    return since > -60_000_000 && since < 60_000_000 + 1000 * manifest.held_ms
  }

  #write(record: LogRecord, crash: KernelCrash & { kind: 'lost' }): void {
    const { store } = this.#options
    const time = new Date(Date.now() - (Number(process.hrtime.bigint() / 1000n) - record.microseconds) / 1000)
    const id = idOf(this.#boot, record.sequence)
    // It was made before, on whatever day the clock had then.
    if (this.#options.catalog().get(id) !== undefined) return
    this.#days ??= [...store.days()]
    const made = this.#days.find(day => existsSync(store.layout.dump({ id, day })))
    const ref = { id, day: made ?? dayOf(time) }
    const manifest: Manifest = {
      ...{ schema: 'gocore-manifest', version: manifestVersion, id },
      tool: { version: toolVersion, node: process.version },
      host: hostFacts(this.#boot),
      time: time.toISOString(),
      process: {
        pid: crash.pid ?? 0,
        uid: crash.uid ?? unknownId,
        gid: unknownId,
        comm: escapeText(crash.comm ?? 'unknown', 300),
      },
      signal: signalOf(crash),
      rlimit_core: 'unknown',
      core: { state: 'none', reason: crash.reason, detail: crash.detail, raw_size: 0, stored_size: 0 },
      libraries: [],
      held_ms: 0,
      monotonic_ns: record.microseconds * 1000,
      notes: [`The daemon made this record from line ${record.sequence} of the kernel log of this boot.`],
    }
    const writer = new DumpWriter(store, ref, store.rights.forDumpable(undefined))
    makeDirectories(store.root, writer.directory, store.rights.directory)
    writer.finish(manifest)
    this.#written++
    const { pid } = manifest.process
    this.#begun?.set(pid, [...(this.#begun.get(pid) ?? []), momentOf(manifest)])
    this.#options.onRecord(ref, `A crash of process ${pid} left no core: ${crash.detail}`)
  }
}

/** Other users' processes are hidden from the daemon below /proc, not from this. */
function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

const unknownId = 4294967295

function ended(crash: KernelCrash): KernelCrash & { kind: 'lost' } {
  if (crash.kind === 'lost') return crash
  const detail =
    waitsOf(crash) === undefined
      ? 'The handler was ended before it could store anything'
      : 'The receiver was ended while the crash waited in line for a handler'
  return { ...crash, kind: 'lost', reason: 'handler-error', detail }
}

const waitsOf = (crash: KernelCrash): number | undefined => (crash.kind === 'begun' ? crash.waits : undefined)

const numbers: Readonly<Record<string, number>> = constants.signals

/** Of a name, or of `signal N`, which is all that a shell knows. */
function signalOf({ signal }: KernelCrash): { number: number; name: string } {
  if (signal === undefined) return { number: 0, name: 'unknown' }
  const number = numbers[signal.name] ?? Number(/^signal (\d+)$/.exec(signal.name)?.[1] ?? 0)
  const name = Object.keys(numbers).find(name => numbers[name] === number)
  return { number, name: name ?? signal.name }
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

function idOf(boot: string, sequence: number): string {
  const digest = createHash('sha256').update(`gocore-sink kernel log ${boot} ${sequence}\n`).digest()
  return [...digest.subarray(0, 12)].map(byte => alphabet[byte & 31]).join('')
}

function hostFacts(boot: string): Manifest['host'] {
  const machine = machineId()
  const id = machine === undefined ? {} : { machine_id: machine }
  return { name: escapeText(hostname(), 256), boot_id: boot, ...id, kernel: release() }
}

/** The manifest of a dump, or of one in the making; undefined where neither can be read. */
function readManifest(store: LocalStore, ref: DumpRef): Manifest | undefined {
  try {
    return store.readManifest(ref)
  } catch {
    try {
      const path = store.layout.file(ref, pendingFile)
      return parseManifest(readRegularFile(path, mostManifest), path)
    } catch {
      return undefined
    }
  }
}

function readPosition(file: string): LogPosition | undefined {
  try {
    const position = JSON.parse(readFileSync(file, 'utf8')) as LogPosition
    if (typeof position.boot_id === 'string' && Number.isSafeInteger(position.sequence)) return position
    rmSync(file, { force: true })
  } catch {
    // None yet.
  }
  return undefined
}
