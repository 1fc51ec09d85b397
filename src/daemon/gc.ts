/** Retention at work: what is deleted or shrunk, with the reason for each, and the doing itself. */
import { dirname, join } from 'node:path'
import { birthOf, isAhead } from '../archive/arrival.ts'
import type { Leases } from '../archive/lease.ts'
import { binaryKeysOf, type Manifest } from '../archive/manifest.ts'
import type { RetentionEntry, RetentionPolicy } from '../archive/retention.ts'
import type { ArchiveStore, DumpRef, OnUnlisted } from '../archive/store.ts'
import { NotFoundError, reasonOf } from '../base/errors.ts'
import type { Catalog } from '../catalog/index.ts'
import { formatDuration, keepFreeBytes } from '../config/index.ts'
import { carryOut } from './carry-out.ts'
import { everyDump } from './every-dump.ts'
import { leftoverSteps } from './leftovers.ts'
import { parseReport } from './report-file.ts'
import { type ShrinkOutcome, whyNotShrunk } from './shrink.ts'
import { Turn, takeTurns } from './steps.ts'

export interface GcOptions {
  store: ArchiveStore
  policy: RetentionPolicy
  /** Tells signatures, and loses the rows of what is deleted. */
  catalog?: Catalog | undefined
  dryRun?: boolean
  /** By default the earlier of what this machine's clock and the storage's say; a dry run writes nothing, and has the machine's alone. */
  now?: number
  /** What is deleted or changed is nobody else's meanwhile; where they are absent, there is nobody else. */
  leases?: Leases | undefined
  /** Makes mini-cores; where it is absent, none are made. */
  shrink?: ((ref: DumpRef, reason: string) => Promise<ShrinkOutcome>) | undefined
  /** Ends the work between two steps. */
  signal?: AbortSignal | undefined
  /** Told of what is passed over, in which nothing is deleted. */
  onUnlisted?: OnUnlisted | undefined
  onProgress?: ((done: number, of: number) => void) | undefined
}

export interface GcAction {
  readonly action: 'delete' | 'shrink'
  readonly kind: 'dump' | 'binary' | 'leftover'
  /** Dump id, binary key, or the path of a leftover. */
  readonly name: string
  /** Of disk that it gives back; of a dump that is yet to be shrunk, about so many. */
  readonly bytes: number
  /** A sentence. */
  readonly reason: string
  /** Why it was not done; absent where it was, or would be. */
  readonly failed?: string
  /** That was no failure: somebody wants the dump, has it in hand, or was faster. */
  readonly kept?: true
}

export interface GcResult {
  readonly actions: GcAction[]
  /** Bytes that were, or would be, given back. */
  readonly freed: number
  readonly kept: number
  /** Of those, by somebody's word: pinned, or on hold. */
  readonly pinned: number
  readonly held: number
  /** Dumps whose manifests can't be read, which stay, and because of which all executables do. */
  readonly unread: readonly { readonly id: string; readonly reason: string }[]
}

/** What is to be said of those; undefined where there are none. */
export function unreadSentence([first, ...others]: GcResult['unread']): string | undefined {
  if (first === undefined) return undefined
  const more = others.length === 0 ? '' : `, nor of ${others.length} more`
  return `Could not read the manifest of dump ${first.id} (${first.reason})${more}: what is named there is not known, and no executable is removed`
}

/** A handler stores an executable before the manifest that names it, and writes before it renames. */
const leaveAloneMs = 24 * 60 * 60 * 1000

/** Does what `gocore-sink.conf(5)` says, in the order that it says; with `dryRun` it only tells. */
export async function runGc(options: GcOptions): Promise<GcResult> {
  const { store, policy, dryRun = false } = options
  // One machine whose clock is ahead must not find all of a shared archive old.
  const { now = dryRun ? Date.now() : Math.min(Date.now(), store.now()) } = options
  const actions: GcAction[] = []
  /** `work` answers why it was left undone. */
  const act = (what: Omit<GcAction, 'action'>, work: () => string | undefined): void => {
    const action = { action: 'delete', ...what } as const
    try {
      const kept = dryRun ? undefined : work()
      actions.push(kept === undefined ? action : { ...action, failed: kept, kept: true })
    } catch (error) {
      actions.push({ ...action, failed: reasonOf(error), ...(isGone(error) ? { kept: true } : {}) })
    }
  }
  const turn = new Turn()
  for (const leftover of leftoverSteps(store)) {
    if (leftover !== undefined && now - leftover.mtime > leftover.keepMs) {
      const { path, disk: bytes, keepMs, what, remove } = leftover
      const reason = `${what}, older than ${formatDuration(keepMs / 1000)}`
      act({ kind: 'leftover', name: path, bytes, reason }, () => void remove())
    }
    // Not before: somebody might begin anew what is looked at.
    await turn.pass()
  }

  const { entries, sound, held, unread } = await readEntries(options, now)
  const { usage, sizeOf } = await measure(store, dryRun ? actions : [])
  const keepFree = policy.keepFree === null ? null : keepFreeBytes(policy.keepFree, usage.total)
  // A manifest that can't be read may name any of them, and so may one in a directory that can't be listed.
  const old = sound ? await Array.fromAsync(oldBinaries(options, now)) : []
  const binaries = new Map(old.map(key => [key, sizeOf('binaries', key.slice(0, 2), key)]))
  const weighed = entries.map(entry => weigh(entry, sizeOf('dumps', entry.day, entry.id)))
  const users = new Map(entries.map(({ id, binaries }) => [id, binaries]))
  for await (const action of carryOut(
    weighed,
    { ...policy, keepFree },
    { ...usage, binaries, isFull: !dryRun && (keepFree ?? 0) > 0 && store.isFull() },
    { ...options, now },
  )) {
    actions.push(action)
    if (action.action === 'delete' && !action.failed) users.delete(action.name)
  }
  const named = new Set([...users.values()].flat())
  const unnamed = old.filter(key => !named.has(key))
  const reason = 'no dump names this executable any more'
  for await (const key of findOrphans(options, new Set(unnamed), now))
    act({ kind: 'binary', name: key, bytes: binaries.get(key)!, reason }, () =>
      store.removeBinary(key, mtime => isOldBinary(mtime, now)) ? undefined : 'a dump has come that names it',
    )
  const deleted = actions.filter(
    ({ action, kind, failed }) => kind === 'dump' && action === 'delete' && !failed,
  )
  return {
    actions,
    freed: freedBy(actions),
    kept: entries.length - deleted.length,
    pinned: entries.filter(({ pinned }) => pinned).length - held,
    ...{ held, unread },
  }
}

/** What the archive takes, and each directory in it: all of it in one walk. `gone` counts as if it were. */
async function measure(
  store: ArchiveStore,
  gone: readonly GcAction[],
): Promise<{ usage: ReturnType<ArchiveStore['usage']>; sizeOf(...path: string[]): number }> {
  const sizes = new Map<string, number>()
  const sizeOf = (...path: string[]): number => sizes.get(join(store.root, ...path)) ?? 0
  const used = await takeTurns(store.measure((directory, bytes) => sizes.set(directory, bytes)))
  for (const { name, bytes } of gone)
    sizes.set(join(store.root, dirname(name)), sizeOf(dirname(name)) - bytes)
  const usage = store.usage(used)
  const freed = freedBy(gone)
  return { usage: { ...usage, used: used - freed, free: usage.free + freed }, sizeOf }
}

/** Of a dump that another machine deletes at this moment nothing may be left to give back. */
const weigh = (entry: Unweighed, size: number): RetentionEntry => ({
  ...entry,
  size,
  core: Math.min(entry.core, size),
})

const isOldBinary = (mtime: Date, now: number): boolean => now - mtime.getTime() > leaveAloneMs

/** Another machine was faster. */
const isGone = (error: unknown): boolean =>
  error instanceof NotFoundError || (error as NodeJS.ErrnoException).code === 'ENOENT'

/** Executables that no handler is about to name. */
async function* oldBinaries(
  { store, onUnlisted = () => {} }: GcOptions,
  now: number,
): AsyncGenerator<string> {
  const turn = new Turn()
  for (const { key, mtime } of store.binaries(onUnlisted)) {
    if (isOldBinary(mtime, now)) yield key
    await turn.pass()
  }
}

/**
 * Of these, executables that none of the dumps names. What is deleted is looked at twice: shrinking takes its time, and dumps
 * may have been brought home since that name them. Those that come now make theirs young before their manifests are there.
 */
async function* findOrphans(
  options: GcOptions,
  unnamed: ReadonlySet<string>,
  now: number,
): AsyncGenerator<string> {
  if (options.dryRun || unnamed.size === 0) return yield* unnamed
  const namedNow = await readKeys(options.store)
  if (namedNow === undefined) return
  for await (const key of oldBinaries(options, now)) if (unnamed.has(key) && !namedNow.has(key)) yield key
}

/** Of the executables that dumps name; undefined where some of the dumps can't be read, and may name others. */
async function readKeys(store: ArchiveStore): Promise<ReadonlySet<string> | undefined> {
  const keys = new Set<string>()
  let sound = true
  const onGap = (): void => {
    sound = false
  }
  for await (const { manifest } of everyDump(store, { onBroken: onGap, onUnlisted: onGap }))
    for (const key of binaryKeysOf(manifest)) keys.add(key)
  return sound ? keys : undefined
}

const freedBy = (actions: readonly GcAction[]): number =>
  actions.reduce((sum, { bytes, failed }) => sum + (failed ? 0 : bytes), 0)

/** Before it was measured what it takes. */
type Unweighed = Omit<RetentionEntry, 'size'> & { readonly core: number; readonly binaries: string[] }

/** All dumps, in the order of their crashes. */
async function readEntries(
  options: GcOptions,
  now: number,
): Promise<{
  entries: Unweighed[]
  sound: boolean
  held: number
  unread: GcResult['unread']
}> {
  const { store, onProgress, onUnlisted } = options
  const made = store.made()
  const pins = store.readPins()
  const entries: (Unweighed & { readonly crash: number })[] = []
  let sound = true
  let held = 0
  let ahead = 0
  const ageless: DumpRef[] = []
  const unread: { id: string; reason: string }[] = []
  const onBroken = ({ id }: DumpRef, error: unknown): void => {
    sound = false
    unread.push({ id, reason: reasonOf(error) })
  }
  const onGap: OnUnlisted = (directory, error) => {
    sound = false
    onUnlisted?.(directory, error)
  }
  for await (const { id, day, manifest } of everyDump(store, { onBroken, onUnlisted: onGap })) {
    const { core, hold, process } = manifest
    if (hold) held++
    const time = birthOf(manifest, made > now ? 0 : made, now)
    if (time === undefined) ageless.push({ id, day })
    if (isAhead(manifest, now)) ahead++
    entries.push({
      ...{ id, day, time: time ?? now, crash: Date.parse(manifest.time), core: core.stored_size },
      pinned: pins.has(id) || hold !== undefined,
      binaries: binaryKeysOf(manifest),
      program: (process.exe ?? process.comm).replace(/ \(deleted\)$/, ''),
      ...alikeOf({ id, day }, manifest, options),
    })
    if (entries.length % 500 === 0) onProgress?.(entries.length, entries.length + 500)
  }
  // Where most are of the future it is this clock that is wrong.
  if (!options.dryRun && ahead <= entries.length / 2) await beginAges(ageless, options, now)
  entries.sort((a, b) => a.crash - b.crash || (a.id < b.id ? -1 : 1))
  return { entries, sound, held, unread }
}

/** No clock was right when they came: their age counts from now on. */
async function beginAges(refs: readonly DumpRef[], { store, leases }: GcOptions, now: number): Promise<void> {
  const turn = new Turn()
  for (const ref of refs) {
    try {
      using lease = leases?.take(ref.id)
      if (leases === undefined || lease !== undefined)
        store.changeManifest(ref, manifest => ({ ...manifest, stored: new Date(now).toISOString() }))
    } catch {
      // From the next time on, then.
    }
    await turn.pass()
  }
}

/** What the journal knows it by. */
export const eventOf = { delete: 'dump-deleted', shrink: 'dump-shrunk' } as const

/** What a log says of what was done. */
export const sentenceOf = ({ action, kind, name, reason }: GcAction): string =>
  `${action === 'shrink' ? 'Shrunk' : 'Deleted'} ${kind} ${name}: ${reason}`

/** What decides whether a dump is one too many of its kind. A dump that is not analysed has no signature yet. */
function alikeOf(
  ref: DumpRef,
  manifest: Manifest,
  { store, catalog, shrink, policy }: GcOptions,
): Pick<RetentionEntry, 'signature' | 'shrinkable'> {
  const { shrinkAfter = null } = policy
  if (shrink === undefined || shrinkAfter === null || manifest.core.state === 'none') return {}
  const row = catalog?.get(ref.id)
  const isKnown = row?.analysis === 'done' && row.signatureKey !== null
  const signature = isKnown ? row.signatureKey! : signatureIn(store, ref)
  if (signature === undefined) return {}
  return { signature, shrinkable: whyNotShrunk(manifest) === undefined }
}

function signatureIn(store: ArchiveStore, ref: DumpRef): string | undefined {
  try {
    const text = store.readReport(ref)
    return text === undefined ? undefined : parseReport(text, 'report.json').signature.key
  } catch {
    return undefined
  }
}
