/**
 * Puts a mini-core in the place of a whole core. It is written beside it, synced, read back block by block and asked the same
 * questions: only one that gives the same answers, to the last argument, gets its name. Then the manifest names it, with
 * what it was made of, and only then the whole core goes. Whenever this is cut, what the manifest names is there and is
 * what the manifest says.
 */
import { closeSync, fstatSync, fsyncSync, rmSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { isFile } from '../archive/files.ts'
import type { LocalStore, Manifest } from '../archive/index.ts'
import { coreFile, miniFile, miniPartFile } from '../archive/layout.ts'
import type { Leases } from '../archive/lease.ts'
import { binariesOf, formatHold, formatUnshrinkable } from '../archive/manifest.ts'
import type { DumpRef } from '../archive/store.ts'
import { createFile, syncDirectory, writeAll } from '../base/atomic-file.ts'
import { ArchiveError, reasonOf } from '../base/errors.ts'
import { toolVersion } from '../base/version.ts'
import type { Config } from '../config/index.ts'
import type { Report } from '../engine/report/report.ts'
import { openCoreFile } from '../source/index.ts'
import { analyseDump, failureOf, jobOf, limitMet, wasTold } from './analyse.ts'
import { type AnalysisJob, ChildExit } from './analysis-job.ts'
import { childProgram, confinedCommand, confinedEnvironment } from './confine.ts'
import { nameCore } from './name-core.ts'
import { parseReport } from './report-file.ts'
import { type ChildEnd, runChild } from './run-child.ts'
import type { ShrinkAnswer, ShrinkJob } from './shrink-job.ts'

export interface ShrinkOptions {
  readonly analysis: Config['analysis']
  readonly redact?: Config['redact']
  /** Somebody asks for just this one: an earlier failure does not count. */
  readonly asked?: boolean
  /** Why it is shrunk, for the manifest. */
  readonly reason: string
  readonly signal?: AbortSignal | undefined
  /** False once somebody else has taken the dump over: nothing is changed then. */
  readonly isHeld?: () => boolean
  /** The children's program, for tests. */
  readonly program?: string | undefined
}

export type ShrinkOutcome =
  /** Bytes of the core's file before and after. */
  | { readonly state: 'shrunk'; readonly from: number; readonly to: number }
  /** As it was, with a sentence why; `inHand`: somebody else is at work on it. */
  | { readonly state: 'kept'; readonly reason: string; readonly inHand?: true }

/** A core whose file has fewer bytes is left alone: little is to be had. */
export const leastToShrink = 256 << 10
/** A mini-core that is not at least so much smaller is not worth what it leaves out. */
const worthwhile = 0.5
/** Memory is told apart by cache lines, and where that leaves something out, by pages. */
const grains = [64, 4096] as const

/** Why this dump is not one to shrink now, by its manifest alone; undefined where it is. */
export function whyNotShrunk(manifest: Manifest, now: number = Date.now()): string | undefined {
  return whyUnfit(manifest) ?? whyPutOff(manifest, now)
}

function whyUnfit({ core, hold, executable }: Manifest): string | undefined {
  if (hold !== undefined) return formatHold(hold)
  if (core.state === 'none') return 'it has no core'
  if (core.shrunk !== undefined) return 'it is a mini-core already'
  if (core.encrypted !== undefined) return 'its core is encrypted'
  if (core.lost_size !== undefined) return 'its core is damaged'
  if (core.continues !== undefined) return 'its core is not together yet'
  if (core.stored_size < leastToShrink) return 'its core is small enough'
  // Without it little can be read, of which little would be kept; it may yet be had from elsewhere.
  if (executable?.key === undefined) return 'its executable is not in the archive'
  return undefined
}

/** An earlier attempt failed, of this version. */
function whyPutOff({ core: { unshrinkable } }: Manifest, now: number): string | undefined {
  if (unshrinkable?.tool !== toolVersion) return undefined
  const { time, until } = unshrinkable
  // A clock that was wrong then puts nothing off for longer.
  const isOver = until !== undefined && !(Date.parse(time) <= now && now < Date.parse(until))
  return isOver ? undefined : formatUnshrinkable(unshrinkable)
}

/** Why there is no mini-core, and for how long nobody tries again, milliseconds. */
interface Failure {
  readonly reason: string
  readonly putOff: number
  /** What the core says now, where its report says something else. */
  readonly saysNow?: Said
}

type Said = Pick<ShrinkAnswer, 'signature' | 'goroutineCount'>

const saidBy = ({ signature, goroutineCount }: Report): Said => ({ signature: signature.key, goroutineCount })

const dayMs = 24 * 60 * 60 * 1000
/** By what failed; what a dump with bad luck costs is bounded, and so is what bad luck costs the dump. */
const putOffs = {
  /** What the dump says itself is so for as long as this version asks. */
  dump: Number.POSITIVE_INFINITY,
  /** A limit costs the most to meet. Others may be set, or the machine less busy. */
  limit: 7 * dayMs,
  /** Such as a kernel that was out of memory. */
  accident: dayMs,
  none: 0,
} as const

const failure = (reason: string, what: keyof typeof putOffs): Failure => ({ reason, putOff: putOffs[what] })

/**
 * Shrinks the core of a dump, which the caller has a lease on. What can't be done is noted in its manifest, so that it is not
 * tried each hour. Throws where the archive can't be written; the core is then as it was.
 */
export async function shrinkDump(
  store: LocalStore,
  ref: DumpRef,
  options: ShrinkOptions,
): Promise<ShrinkOutcome> {
  const manifest = store.readManifest(ref)
  if (manifest.core.shrunk !== undefined) dropWhole(store, ref)
  const why = options.asked ? whyUnfit(manifest) : whyNotShrunk(manifest)
  const refusal = why ?? (store.isPinned(ref.id) ? 'it is pinned' : undefined)
  if (refusal !== undefined) return { state: 'kept', reason: refusal }
  const json = store.readReport(ref)
  if (json === undefined) return { state: 'kept', reason: 'it is not analysed' }
  let report: Report
  try {
    report = parseReport(json, 'its report')
  } catch (error) {
    return { state: 'kept', reason: reasonOf(error) }
  }
  const missing = binariesOf(manifest).find(({ key }) => key !== undefined && !store.binaryPath(key))
  if (missing !== undefined)
    return { state: 'kept', reason: `${missing.path}, ${missing.key} in the archive, is gone` }
  const job = jobOf(store, ref, manifest, options.analysis.user)
  if (typeof job === 'string') return { state: 'kept', reason: job }
  for (const name of [miniPartFile, miniFile]) rmSync(store.layout.file(ref, name), { force: true })
  let made: Made | Failure = failure('nothing was tried', 'none')
  for (const grain of grains) {
    made = await makeMiniCore(store, ref, { manifest, report }, { ...job, grain }, options)
    if (options.isHeld?.() === false) return inHand
    // A coarser grain leaves less out, and helps nothing else.
    if (!('reason' in made) || made.putOff !== putOffs.dump) break
  }
  if (options.signal?.aborted) return interrupted
  if (!('reason' in made)) return putInPlace(store, ref, made, options)
  return made.saysNow === undefined ? giveUp(store, ref, made) : analyseAnew(store, ref, made, options)
}

const interrupted: ShrinkOutcome = { state: 'kept', reason: 'it was interrupted' }

/** As long as the core is whole a report can be made of all of it. The next round counts the dump among its new like. */
async function analyseAnew(
  store: LocalStore,
  ref: DumpRef,
  failed: Failure,
  { analysis, redact = [], signal, program, isHeld }: ShrinkOptions,
): Promise<ShrinkOutcome> {
  const { state } = await analyseDump(ref, { store, config: { analysis, redact }, signal, program })
  if (isHeld?.() === false) return inHand
  if (state === 'interrupted') return interrupted
  const said = saidBy(parseReport(store.readReport(ref)!, 'its report'))
  if (!isDeepStrictEqual(said, failed.saysNow)) return giveUp(store, ref, failed)
  // Other nodes see by the manifest's time that their rows are old.
  store.changeManifest(ref, ({ core: { unshrinkable: _, ...core }, ...rest }) => ({ ...rest, core }))
  return { state: 'kept', reason: 'another version had made its report: it was analysed anew' }
}

function giveUp(store: LocalStore, ref: DumpRef, { reason, putOff }: Failure): ShrinkOutcome {
  const now = Date.now()
  const unshrinkable = {
    ...{ reason, tool: toolVersion, time: new Date(now).toISOString() },
    ...(putOff === putOffs.dump ? {} : { until: new Date(now + putOff).toISOString() }),
  }
  if (putOff !== putOffs.none)
    store.changeManifest(ref, manifest => ({ ...manifest, core: { ...manifest.core, unshrinkable } }))
  return { state: 'kept', reason }
}

export const inHand = {
  ...{ state: 'kept', reason: 'somebody else has it in hand', inHand: true },
} as const satisfies ShrinkOutcome

/** The same for one dump after another, each with its lease. */
export function shrinker(
  store: LocalStore,
  leases: Leases,
  options: Omit<ShrinkOptions, 'reason' | 'isHeld'>,
): (ref: DumpRef, reason: string) => Promise<ShrinkOutcome> {
  return async (ref, reason) => {
    using lease = leases.take(ref.id)
    if (lease === undefined) return inHand
    return await shrinkDump(store, ref, { ...options, reason, isHeld: () => lease.isHeld() })
  }
}

interface Made {
  readonly rawSize: number
  readonly storedSize: number
}

/** Leaves a mini-core that was checked in `core.mini.lz4.part`, or nothing and a sentence why. */
async function makeMiniCore(
  store: LocalStore,
  ref: DumpRef,
  { manifest, report }: { manifest: Manifest; report: Report },
  job: AnalysisJob & { readonly grain: number },
  options: ShrinkOptions,
): Promise<Made | Failure> {
  const part = store.layout.file(ref, miniPartFile)
  const most = Math.floor(manifest.core.stored_size * worthwhile)
  const rights = store.rights.forCrash(manifest)
  const to = createFile(part, rights.file)
  let done = false
  try {
    const made = await ask(store, { ...job, what: 'shrink' }, options, most, bytes => writeAll(to, bytes))
    if ('reason' in made) return made
    const { rawSize = -1, says, signature, goroutineCount } = made
    const [stored, saysNow] = [saidBy(report), { signature, goroutineCount }]
    if (!isDeepStrictEqual(stored, saysNow)) {
      const reason = `its report has signature ${stored.signature} and ${stored.goroutineCount} goroutines, the core ${signature} and ${goroutineCount}`
      return { ...failure(reason, 'limit'), saysNow }
    }
    fsyncSync(to)
    const storedSize = fstatSync(to).size
    readBack(part, rawSize)
    const check = await ask(store, { ...job, what: 'check', core: part }, options, 0, () => {})
    if ('reason' in check) return { ...check, reason: `the mini-core can't be analysed: ${check.reason}` }
    const different = Object.keys(says).filter(name => check.says[name] !== says[name])
    if (different.length > 0)
      return failure(`a mini-core would not say the same: ${different.join(', ')}`, 'dump')
    done = true
    return { rawSize, storedSize }
  } finally {
    closeSync(to)
    if (!done && options.isHeld?.() !== false) rmSync(part, { force: true })
  }
}

/** Throws where a block is not what was written. */
function readBack(path: string, rawSize: number): void {
  using source = openCoreFile(path, { links: false })
  if (source.warnings.length > 0 || source.size !== rawSize)
    throw new ArchiveError(`${path} does not read back as it was written`)
  const piece = 1 << 20
  for (let at = 0; at < source.size; at += piece) source.read(at, Math.min(piece, source.size - at))
}

/** Bytes of the first line at most. */
const longestLine = 64 << 10

/** Runs the child; its first line is the answer, the rest goes to `onBytes`, of which there may be `most`. */
async function ask(
  store: LocalStore,
  job: Omit<ShrinkJob, 'patience'>,
  { analysis, signal, program = childProgram('shrink') }: ShrinkOptions,
  most: number,
  onBytes: (bytes: Uint8Array) => void,
): Promise<ShrinkAnswer | Failure> {
  const { timeout, memory } = analysis
  let line = Buffer.alloc(0)
  let answer: ShrinkAnswer | undefined
  const order: ShrinkJob = { ...job, patience: (timeout * 1000) / 4 }
  const end = await runChild({
    command: confinedCommand({ memory, seconds: 2 * timeout + 10 }, [store.root], program),
    env: confinedEnvironment,
    input: JSON.stringify(order),
    timeoutMs: timeout * 1000,
    memory,
    output: most + longestLine,
    onOutput: piece => {
      if (answer !== undefined) return onBytes(piece)
      line = Buffer.concat([line, piece])
      const at = line.indexOf(0x0a)
      if (at < 0 && line.length < longestLine) return
      answer = parseAnswer(line.subarray(0, Math.max(at, 0)).toString('utf8'))
      onBytes(line.subarray(at + 1))
    },
    signal,
  })
  if (end.kind === 'output') return failure('a mini-core of it would not be much smaller', 'dump')
  if (end.kind === 'exit' && end.status === ChildExit.done && answer !== undefined) return answer
  if (end.kind === 'refused') throw end.cause
  return failure(failureOf(end, analysis), blameOf(end))
}

function blameOf(end: ChildEnd): keyof typeof putOffs {
  if (limitMet(end) !== undefined) return 'limit'
  if (end.kind === 'exit' && end.status === ChildExit.refused) return 'dump'
  return end.kind === 'exit' || (end.kind === 'signal' && !wasTold(end)) ? 'accident' : 'none'
}

function parseAnswer(text: string): ShrinkAnswer {
  const answer = JSON.parse(text) as ShrinkAnswer
  if (typeof answer?.says !== 'object' || answer.says === null)
    throw new ArchiveError('the child gave no answer')
  return answer
}

function putInPlace(
  store: LocalStore,
  ref: DumpRef,
  made: Made,
  { reason, isHeld }: ShrinkOptions,
): ShrinkOutcome {
  const at = (name: string): string => store.layout.file(ref, name)
  const before = store.readManifest(ref)
  // Since this began somebody may have asked for it to be kept.
  const refusal = whyUnfit(before) ?? (store.isPinned(ref.id) ? 'it is pinned' : undefined)
  if (refusal !== undefined) {
    rmSync(at(miniPartFile), { force: true })
    return { state: 'kept', reason: refusal }
  }
  if (isHeld?.() === false) return inHand
  const from = before.core.stored_size
  nameCore(
    store,
    ref,
    { part: miniPartFile, file: miniFile },
    ({ expected_size, unshrinkable: _, ...kept }) => {
      const shrunk = {
        ...{ raw_size: kept.raw_size, stored_size: kept.stored_size },
        ...(expected_size === undefined ? {} : { expected_size }),
        ...{ time: new Date().toISOString(), reason, tool: toolVersion },
      }
      return { ...kept, raw_size: made.rawSize, stored_size: made.storedSize, shrunk }
    },
  )
  dropWhole(store, ref)
  return { state: 'shrunk', from, to: made.storedSize }
}

/** The manifest names the mini-core: the whole one is what a cut attempt left. */
function dropWhole(store: LocalStore, ref: DumpRef): void {
  const whole = store.layout.file(ref, coreFile)
  if (!isFile(store.layout.file(ref, miniFile))) return
  rmSync(whole, { force: true })
  syncDirectory(store.layout.dump(ref))
}
