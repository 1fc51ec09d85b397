/**
 * Makes honest dumps of what handlers left behind that were killed in the middle (by the out-of-memory killer, a
 * shutdown, a power cut): the facts are in `pending.json`, and what came of the core in `core.lz4.part`.
 */
import { closeSync, fsyncSync, lstatSync, renameSync } from 'node:fs'
import { hostname, uptime } from 'node:os'
import { join } from 'node:path'
import { withArrival } from '../archive/arrival.ts'
import { type PendingManifest, settlePending } from '../archive/dump-writer.ts'
import { isFile } from '../archive/files.ts'
import { type LocalStore, type Manifest, parseManifest, type StoredCore } from '../archive/index.ts'
import { coreFile, manifestFile, partFile, pendingFile } from '../archive/layout.ts'
import { manifestVersion, mostManifest } from '../archive/manifest.ts'
import { markOwn } from '../archive/own-dumps.ts'
import { isAlive, pidNamespace } from '../archive/process-identity.ts'
import type { DumpRef, OnUnlisted } from '../archive/store.ts'
import { syncDirectory } from '../base/atomic-file.ts'
import { FormatError, reasonOf } from '../base/errors.ts'
import { bootId, machineId } from '../base/host-ids.ts'
import { readRegularFile } from '../base/regular-file.ts'
import { runThrough, type Steps } from '../base/steps.ts'
import { toolVersion } from '../base/version.ts'
import { openRegular } from '../source/file-source.ts'
import { beginsCore, joinedSteps } from './joined-core.ts'

export interface Recovery {
  readonly ref: DumpRef
  /** A sentence for the log. */
  readonly what: string
}

const minute = 60 * 1000
const hour = 60 * minute
/** What the clocks of this machine and its storage may differ. */
const clockDifference = 60_000

/** What a dump in the making looked like, and since when by a clock that does not jump, milliseconds. */
interface Watched {
  readonly changed: number
  readonly since: number
}

export interface RecoverOptions {
  /** Ids of a day that are dumps already, which need no look. */
  known?: (day: string) => Iterable<string>
  /** Ids that are somebody else's to bring to an end. */
  leave?: ReadonlySet<string>
  /** Gives the dump to the caller alone; undefined where another daemon has it, which may join it with what its spool holds. */
  claim?: (id: string) => Disposable | undefined
  /** Of a place that no other machine writes to: what is of another boot is of an earlier one. */
  own?: boolean
  /** Ids of earlier boots of this machine, as far as they are known. */
  boots?: ReadonlySet<string>
  /** What was seen of dumps in the making, kept between calls. */
  watched?: Map<string, Watched>
  /** Told of days that are passed over. */
  onUnlisted?: OnUnlisted
  now?: number
  /** When this machine was started. */
  booted?: number
}

/** Looks at the directories that have no manifest. */
export const recoverDumps = (store: LocalStore, options: RecoverOptions = {}): Recovery[] =>
  runThrough(recoverSteps(store, options))

/** The same with pauses: a core is decoded as a whole. */
export function* recoverSteps(store: LocalStore, options: RecoverOptions = {}): Steps<Recovery[]> {
  const { known, leave, onUnlisted = () => {}, now = Date.now(), booted = now - uptime() * 1000 } = options
  const recovered: Recovery[] = []
  for (const day of store.days(onUnlisted)) {
    const unknown = new Set(store.ids(day, onUnlisted)).difference(new Set(known?.(day)))
    for (const id of unknown) {
      yield
      if (leave?.has(id)) continue
      const ref = { id, day }
      try {
        const what = yield* recoverDump(store, ref, { ...options, now, booted })
        if (what !== undefined) recovered.push({ ref, what })
      } catch (error) {
        recovered.push({ ref, what: `its handler was killed, and it can't be recovered: ${reasonOf(error)}` })
      }
    }
  }
  return recovered
}

/**
 * Dumps there, finished or in the making; a directory that a handler was killed in before it had said anything is none,
 * nor is what a power cut has left of one: where the archive has its beginning, the facts lie there.
 */
export function begunIds(store: LocalStore, onUnlisted?: OnUnlisted): Set<string> {
  const ids = new Set<string>()
  for (const day of store.days(onUnlisted))
    for (const id of store.ids(day, onUnlisted))
      if (hasBegun(store, { id, day }) && !hasLostFacts(store, { id, day })) ids.add(id)
  return ids
}

/** It has a manifest, or what one can be made of. */
export function hasBegun(store: LocalStore, ref: DumpRef): boolean {
  if (isFile(store.layout.file(ref, manifestFile))) return true
  try {
    readPending(store.layout.file(ref, pendingFile))
    return true
  } catch {
    return false
  }
}

export const readPending = (path: string): PendingManifest =>
  parseManifest(readRegularFile(path, mostManifest), path)

function hasLostFacts(store: LocalStore, ref: DumpRef): boolean {
  try {
    return !knowsCrash(store.readManifest(ref))
  } catch {
    return false
  }
}

/** False of what `pendingOf` made up. */
export const knowsCrash = ({ host }: Manifest): boolean => host.name !== ''

/** What is known where a power cut has left a part of it, or nothing: that there was a crash, and when. */
function pendingOf(path: string, { id }: DumpRef, changed: number): PendingManifest {
  try {
    return readPending(path)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return {
      ...{ schema: 'gocore-manifest', version: manifestVersion, id },
      tool: { version: toolVersion, node: process.version },
      host: { name: '' },
      time: new Date(changed).toISOString(),
      process: { pid: 0, uid: unknownId, gid: unknownId, comm: 'unknown' },
      signal: { number: 0, name: 'unknown' },
      rlimit_core: 'unknown',
      // Whose it was is not known: root's alone.
      dumpable: 2,
      core: { state: 'none', raw_size: 0, stored_size: 0 },
      libraries: [],
      held_ms: 0,
      notes: [`What the handler had written of the crash is damaged: ${error.problem}`],
    }
  }
}

const unknownId = 4294967295

/** A handler has begun it, and nobody has brought it to an end. */
export const isUnfinished = (store: LocalStore, ref: DumpRef): boolean =>
  !isFile(store.layout.file(ref, manifestFile)) && isFile(store.layout.file(ref, pendingFile))

/** What a handler has noted that has yet to end: the facts, itself, and when it was last at work, milliseconds. */
export function readBegun(store: LocalStore, ref: DumpRef): Begun {
  const changed = latestChange(store.layout.dump(ref))
  const { handler, ...pending } = pendingOf(store.layout.file(ref, pendingFile), ref, changed)
  return { pending, handler, changed }
}

interface Begun {
  readonly pending: Manifest
  readonly handler: PendingManifest['handler']
  readonly changed: number
}

type Clocks = RecoverOptions & { now: number; booted: number }

function* recoverDump(store: LocalStore, ref: DumpRef, clocks: Clocks): Steps<string | undefined> {
  if (!isUnfinished(store, ref)) return undefined
  const begun = readBegun(store, ref)
  if (!isAbandoned(begun, ref, clocks)) return undefined
  using claim = clocks.claim?.(ref.id)
  if (clocks.claim !== undefined && claim === undefined) return undefined
  // Whoever had it has brought it to an end.
  if (!isUnfinished(store, ref)) return undefined
  const core = yield* settleSteps(store, ref, begun.pending)
  return `its handler was killed; listed it as ${core.state} with ${core.raw_size} bytes of core`
}

/** Makes a dump of what a handler has left that is at work no more. */
export function* settleSteps(store: LocalStore, ref: DumpRef, pending: Manifest): Steps<StoredCore> {
  const path = (name: string): string => store.layout.file(ref, name)
  if (isFile(path(partFile))) renameSync(path(partFile), path(coreFile))
  const { continues } = pending.core
  const core =
    continues !== undefined
      ? continuedCore(pending.core, sizeOf(path(coreFile)))
      : !knowsCrash(pending) && isFile(path(coreFile)) && !beginsCore(path(coreFile))
        ? looseCore(sizeOf(path(coreFile)))
        : yield* coreOf(path(coreFile))
  syncFile(path(coreFile))
  const rights = store.rights.forCrash(pending)
  const notes = [...pending.notes, killed, ...markOwn(store.layout, ref, rights)]
  const directory = store.layout.dump(ref)
  settlePending(directory, withArrival(directory, { ...pending, id: ref.id, core, notes }), rights)
  syncDirectory(directory)
  return core
}

/** The last of the notes of a dump that the daemon brought to an end. */
export const killed = 'The handler was killed before it could write this manifest; the daemon wrote it.'

/**
 * A handler that merely waits for its storage must not lose the file beneath its hands. One of an earlier boot is dead,
 * and so is one whose process is gone. Where that can't be told, one of this boot gives storage up long before an hour;
 * of other machines we know nothing, so theirs have a day. Clocks jump, so an hour is also one that we have lived through.
 * What is a week old by the clock needs no more than an hour, since a daemon may never live for a day.
 * Machines made from one image share a machine-id, and even a name: what is of a boot that nobody remembers must be old, or
 * still.
 */
export function isAbandoned({ pending, handler, changed }: Begun, { id }: DumpRef, clocks: Clocks): boolean {
  const { host } = pending
  const { now, booted, watched, own = false, boots } = clocks
  // Of a handler of this boot the kernel log tells.
  if (!knowsCrash(pending)) return changed <= booted - clockDifference
  const isSame = host.machine_id !== undefined && host.machine_id === machineId()
  const here = isSame && (own || host.name === hostname())
  const boot = bootId()
  const isOtherBoot = here && host.boot_id !== undefined && boot !== undefined && host.boot_id !== boot
  const isOld = now - changed > 7 * 24 * hour
  const patience = isOtherBoot ? 10 * minute : here || isOld ? hour : 24 * hour
  if (isOtherBoot && (own || boots?.has(host.boot_id!))) return true
  const mayBeEarlier = isOtherBoot || (here && host.boot_id === undefined)
  if (mayBeEarlier && changed < booted - clockDifference) return true
  const ours =
    here &&
    !isOtherBoot &&
    handler?.pid_namespace !== undefined &&
    handler.pid_namespace === pidNamespace().pid_namespace
  if (ours && Number.isSafeInteger(handler.pid) && handler.pid > 0 && !isAlive(handler)) return true
  if (watched === undefined) return now - changed > patience
  const before = watched.get(id)
  if (before?.changed !== changed) watched.set(id, { changed, since: performance.now() })
  return before?.changed === changed && performance.now() - before.since > patience
}

function* coreOf(path: string): Steps<StoredCore> {
  if (!isFile(path)) {
    const detail = 'The handler was killed before the first byte of the core'
    return { state: 'none', reason: 'handler-error', detail, raw_size: 0, stored_size: 0 }
  }
  const cut: StoredCore = {
    ...{ state: 'truncated', reason: 'handler-error', file: coreFile, raw_size: 0, stored_size: 0 },
    detail: 'The handler was killed before it had the whole core',
  }
  return yield* joinedSteps(cut, path)
}

/** The rest of a core whose beginning lies in the archive; what both hold together is for the shipping to see. */
function continuedCore({ continues, expected_size }: StoredCore, size: number): StoredCore {
  return {
    ...{ state: 'truncated', reason: 'handler-error', raw_size: 0, stored_size: continues!.at + size },
    detail: 'The handler was killed before it had the whole core',
    file: coreFile,
    ...(expected_size === undefined ? {} : { expected_size }),
    continues: continues!,
  }
}

/** Bytes that may be the rest of a core which began elsewhere: whatever is put right in them now might be wrong. */
const looseCore = (size: number): StoredCore => ({
  ...{ state: 'truncated', reason: 'handler-error', file: coreFile, raw_size: 0, stored_size: size },
  detail: 'It does not begin as a core does, and what the handler had noted of it is damaged',
})

/** A handler that was killed had not come to this: its core is as safe as the manifest that will call it whole. */
function syncFile(path: string): void {
  if (!isFile(path)) return
  const { fd } = openRegular(path, { links: false })
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

const sizeOf = (path: string): number => lstatSync(path, { throwIfNoEntry: false })?.size ?? 0

function latestChange(directory: string): number {
  const times = [
    directory,
    join(directory, pendingFile),
    join(directory, partFile),
    join(directory, coreFile),
  ]
  return Math.max(...times.map(path => lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0))
}
