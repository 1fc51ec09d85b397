/**
 * A handler with archive and spool of its own, crashes that it is given, and the reckoning: what the daemon would do is
 * done (recover, ship, read the kernel log), and then each crash must be listed once, and be what it is called.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomFillSync } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import {
  type DumpEntry,
  initializeStore,
  type LocalStore,
  type Manifest,
  openLocalStore,
} from '../../src/archive/index.ts'
import { Leases } from '../../src/archive/lease.ts'
import { openCatalog } from '../../src/catalog/index.ts'
import { parseKernelLine } from '../../src/daemon/kernel-crash.ts'
import { KernelLines } from '../../src/daemon/kernel-lines.ts'
import type { LogRecord } from '../../src/daemon/kernel-log.ts'
import { KernelRecords } from '../../src/daemon/kernel-records.ts'
import { begunIds, recoverDumps } from '../../src/daemon/recover.ts'
import { shipSpool } from '../../src/daemon/ship.ts'
import { HandlerBed } from '../../test/support/handler-bed.ts'
import { faultOf } from './judge-core.ts'
import { isFinding, syncCatalog, verify } from './product.ts'
import type { Tally, Verdict } from './tally.ts'
import type { Truth } from './truth.ts'

/** The id of a boot that the daemon remembers. */
export const earlierBoot = '00000000-0000-4000-8000-000000000000'

let nextPid = 1_000_000_000 + (process.pid % 100_000) * 10_000

export interface Crash {
  readonly pid: number
  readonly truth: Truth
  /** Nobody was promised anything of it: it need not be listed. */
  readonly mayBeUnknown?: boolean
  /** Its handler had ended, and all was well. */
  readonly mustBeWhole?: boolean
}

export interface Replay extends Crash {
  readonly core: Buffer
  readonly child: ChildProcess
  /** Status or signal, and milliseconds from start to the moment when the pipe was let go. */
  readonly ended: Promise<{ status: number | string; held: number }>
}

/** How handlers ended, by the crash's process. */
const statuses = new Map<number, number | string>()

export class Trial {
  readonly bed: HandlerBed
  #archive: LocalStore | undefined
  readonly #kernelLines: KernelLines
  readonly #records: KernelRecords
  readonly #catalog: ReturnType<typeof openCatalog>

  constructor(settings: Record<string, string> = {}) {
    this.bed = new HandlerBed({ StorageDeadline: '1s', ...settings })
    mkdirSync(this.bed.path('reckoning'))
    this.#catalog = openCatalog(this.bed.path('reckoning/catalog.db'))
    this.#records = new KernelRecords({
      ...{ store: this.store, spool: () => this.spool, catalog: () => this.#catalog },
      ...{ state: this.bed.path('reckoning'), patience: () => 0, onRecord: () => {} },
    })
    this.#kernelLines = new KernelLines({ run: this.bed.path('reckoning'), onProblem: () => {} })
    this.#readKernelLog()
  }

  get store(): LocalStore {
    return this.#archive ?? openLocalStore(this.bed.path('archive'))
  }

  /** Reckons with another archive than the bed's own. */
  redirect(archive: LocalStore): void {
    this.#archive = archive
  }

  get spool(): LocalStore {
    return openLocalStore(this.bed.path('state/spool'))
  }

  /** Starts the handler as the kernel does. What it is fed is up to the caller, see `feed`. */
  start(core: Buffer, env: Record<string, string> = {}): Replay {
    const pid = nextPid++
    const now = String(Math.floor(Date.now() / 1000))
    const args = [String(pid), '33', '33', '11', now, '18446744073709551615', replayed]
    const began = performance.now()
    const child = spawn('/bin/sh', ['-c', 'exec "$0" "$@" >&- 2>&-', this.bed.path('h'), ...args], {
      ...{ env, cwd: '/', stdio: ['pipe', 'ignore', 'ignore'] },
    })
    let held = 0
    const letGo = (): void => {
      held ||= performance.now() - began
    }
    child.stdin!.on('error', letGo).on('close', letGo)
    const ended = new Promise<{ status: number | string; held: number }>(resolve =>
      child.once('exit', (code, signal) => {
        letGo()
        statuses.set(pid, code ?? signal ?? 'unknown')
        resolve({ status: code ?? signal ?? 'unknown', held })
      }),
    )
    return { pid, core, truth: { stream: core }, child, ended }
  }

  /** A whole crash, from the first byte to the handler's end. */
  async crash(core: Buffer, env?: Record<string, string>): Promise<Replay & { held: number }> {
    const replay = this.start(core, env)
    replay.child.stdin!.end(core)
    const { held } = await replay.ended
    return { ...replay, held }
  }

  /** What the daemon does, as often as something is left to be done. The kernel log has others' crashes, too. */
  async mend(crashes?: readonly Crash[]): Promise<string[]> {
    const failures: string[] = []
    // As the daemon does when it starts.
    initializeStore(this.store)
    // A lease whose holder was killed before it had written its name is waited for; here the wait is one round.
    const leases = new Leases(this.store, { patience: 0 })
    for (let round = 0; round < 3; round++) {
      failures.length = 0
      recoverDumps(this.spool, { own: true })
      recoverDumps(this.store, { leave: begunIds(this.spool), boots: new Set([earlierBoot]) })
      for (const { failed } of await shipSpool(this.spool, this.store, { leases }))
        if (failed) failures.push(failed)
    }
    this.#readKernelLog(crashes)
    return failures
  }

  #readKernelLog(crashes?: readonly Crash[]): void {
    const own = crashes && new Set<number | undefined>(crashes.map(({ pid }) => pid))
    const isOwn = ({ text, isKernels }: LogRecord): boolean =>
      own?.has(parseKernelLine(text, isKernels)?.pid) ?? true
    this.#records.look(this.#kernelLines.look().filter(isOwn))
    this.#kernelLines.dealtWith(this.#records.done)
  }

  /** Mends and reckons up. */
  async judge(crashes: readonly Crash[], tally: Tally, held?: number): Promise<Verdict> {
    const failures = await this.mend(crashes)
    const entries = [...this.store.list()]
    const why = failures.map(failure => `not brought home: ${failure}`)
    let [lost, twice, wrong] = [0, 0, 0]
    // The kernel gives a number again: so many crashes had this one.
    const byPid = Map.groupBy(crashes, crash => crash.pid)
    for (const [pid, same] of byPid) {
      const listed = entries.filter(({ manifest }) => manifest.process.pid === pid)
      // Of a dump that was there once the kernel log alone is left: that is a loss, though there is an entry.
      const own = listed.filter(({ manifest }) => !isForgotten(pid, manifest))
      const promised = same.filter(({ mayBeUnknown }) => !mayBeUnknown).length
      if (own.length < promised) {
        lost += promised - own.length
        why.push(`lost: process ${pid}, ${own.length} of ${promised}, in ${this.bed.directory}`)
      }
      if (own.length > same.length) {
        twice += own.length - same.length
        why.push(
          `${own.length} times: ${own.map(({ id, manifest }) => `${id} ${manifest.core.state}`).join(', ')}`,
        )
      }
      for (const entry of own) {
        tally.count(entry.manifest.core.state)
        const problem = this.#problemOf(entry, same)
        if (problem === undefined) continue
        wrong++
        why.push(problem)
      }
    }
    for (const { id, manifest } of entries) {
      if (byPid.has(manifest.process.pid) || !isOurs(manifest)) continue
      twice++
      why.push(`${id} is listed as process ${manifest.process.pid}, and nothing like it crashed`)
    }
    await syncCatalog(this.store, this.#catalog)
    for (const step of verify({ store: this.store, catalog: this.#catalog }))
      if (isFinding(step) && step.severity === 'problem') {
        wrong++
        why.push(`verify: ${step.where}: ${step.what}`)
      }
    // What the handler measured, where it lived to say so: this process is busy with other tries.
    const told = entries.map(({ manifest }) => manifest.held_ms).filter(ms => ms > 0)
    const hold = told.length === crashes.length ? Math.max(...told) : held
    const verdict = { lost, twice, wrong, why, ...(hold === undefined ? {} : { held: hold }) }
    tally.add(verdict)
    return verdict
  }

  /** What is wrong with an entry of one of these crashes, all of one process number: it is whichever it fits. */
  #problemOf({ id, day, manifest }: DumpEntry, crashes: readonly Crash[]): string | undefined {
    const { core } = manifest
    const path = this.store.corePath({ id, day })
    const problems = crashes.map(({ truth, mustBeWhole }) =>
      mustBeWhole && core.state !== 'complete'
        ? `its handler had ended, and it is ${core.state}`
        : faultOf(core, path, truth),
    )
    return problems.includes(undefined)
      ? undefined
      : `${id} (${core.state}, ${core.detail ?? ''}): ${problems[0]}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#kernelLines[Symbol.dispose]()
    this.#catalog.close()
    await this.bed.settle()
    this.bed[Symbol.dispose]()
  }
}

const isOfKernelLog = ({ notes }: Manifest): boolean =>
  notes.some(note => note.includes('of the kernel log of this boot'))

/** The daemon found nothing of a crash whose handler had said that it is stored, or was not killed by anybody. */
function isForgotten(pid: number, manifest: Manifest): boolean {
  if (!isOfKernelLog(manifest)) return false
  const status = statuses.get(pid)
  return status === undefined ? /The handler was ended before/.test(manifest.core.detail ?? '') : status === 0
}

/** Others crash on this machine, too, while the kernel gives us everything; and its log has lines of all trials. */
const isOurs = (manifest: Manifest): boolean =>
  [replayed, 'victim'].includes(manifest.process.comm) && !isOfKernelLog(manifest)
const replayed = 'faulty'

const cores = new Map<number, Buffer>()

/** An ELF core of `megabytes`: half of it noise, a quarter zeros, a quarter alike. */
export function coreOf(megabytes: number): Buffer {
  const known = cores.get(megabytes)
  if (known !== undefined) return known
  const size = megabytes << 20
  const core = Buffer.alloc(size)
  randomFillSync(core, size >>> 1)
  core.fill('the same again, ', 8192, size >>> 2)
  core.fill(0, 0, 4096)
  core.write('\x7fELF\x02\x01\x01', 'latin1')
  core.writeUInt16LE(4, 16)
  core.writeBigUInt64LE(64n, 32)
  core.writeUInt16LE(56, 54)
  core.writeUInt16LE(1, 56)
  core.writeUInt32LE(1, 64)
  core.writeBigUInt64LE(4096n, 72)
  core.writeBigUInt64LE(BigInt(size - 4096), 96)
  cores.set(megabytes, core)
  return core
}

/** What a pipe of the kernel's holds. */
export const pipeHolds = 65536

/** Feeds the first `bytes` of the core, more than the pipe holds: when it answers, the handler is reading. */
export function reads({ child, core }: Replay, bytes = core.length): Promise<void> {
  return new Promise(done =>
    child.stdin!.write(core.subarray(0, Math.max(bytes, 2 * pipeHolds)), () => done()),
  )
}
