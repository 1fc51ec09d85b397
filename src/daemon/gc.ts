/** Retention at work: what is deleted or shrunk, with the reason for each, and the doing itself. */
import { binaryKeysOf, type Manifest } from '../archive/manifest.ts'
import type { RetentionEntry, RetentionPolicy } from '../archive/retention.ts'
import type { ArchiveStore, DumpRef, OnUnlisted } from '../archive/store.ts'
import { reasonOf } from '../base/errors.ts'
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
  now?: number
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
  /** That it gives back; of a dump that is yet to be shrunk, about so many. */
  readonly bytes: number
  /** A sentence. */
  readonly reason: string
  /** Why it could not be done; absent where it was, or would be. */
  readonly failed?: string
}

export interface GcResult {
  readonly actions: GcAction[]
  /** Bytes that were, or would be, given back. */
  readonly freed: number
  readonly kept: number
  /** Of those, by somebody's word: pinned, or on hold. */
  readonly pinned: number
  readonly held: number
}

/** A handler stores an executable before the manifest that names it, and writes before it renames. */
const leaveAloneMs = 24 * 60 * 60 * 1000

/** Does what `gocore-sink.conf(5)` says, in the order that it says; with `dryRun` it only tells. */
export async function runGc(options: GcOptions): Promise<GcResult> {
  const { store, policy, now = Date.now(), dryRun = false } = options
  const actions: GcAction[] = []
  const act = (action: Omit<GcAction, 'action'>, work: () => void): void => {
    try {
      if (!dryRun) work()
      actions.push({ action: 'delete', ...action })
    } catch (error) {
      actions.push({ action: 'delete', ...action, failed: reasonOf(error) })
    }
  }
  const turn = new Turn()
  for (const leftover of leftoverSteps(store)) {
    if (leftover !== undefined && now - leftover.mtime > leftover.keepMs) {
      const { path, bytes, keepMs, what, remove } = leftover
      const reason = `${what}, older than ${formatDuration(keepMs / 1000)}`
      act({ kind: 'leftover', name: path, bytes, reason }, remove)
    }
    // Not before: somebody might begin anew what is looked at.
    await turn.pass()
  }

  const { entries, users, sound, held } = await readEntries(options)
  const before = freedBy(actions)
  const usage = store.usage(await takeTurns(store.measure()))
  const keepFree = policy.keepFree === null ? null : keepFreeBytes(policy.keepFree, usage.total)
  const left = dryRun ? { used: usage.used - before, free: usage.free + before } : usage
  for await (const action of carryOut(entries, { ...policy, keepFree }, left, options)) {
    actions.push(action)
    if (action.action === 'delete' && !action.failed) users.delete(action.name)
  }
  // A manifest that can't be read may name any of them, and so may one in a directory that can't be listed.
  if (sound)
    for await (const { key, size } of findOrphans(options, new Set([...users.values()].flat()), now))
      act({ kind: 'binary', name: key, bytes: size, reason: 'no dump names this executable any more' }, () =>
        store.removeBinary(key),
      )
  const deleted = actions.filter(
    ({ action, kind, failed }) => kind === 'dump' && action === 'delete' && !failed,
  )
  return {
    actions,
    freed: freedBy(actions),
    kept: entries.length - deleted.length,
    pinned: entries.filter(({ pinned }) => pinned).length - held,
    held,
  }
}

interface Orphan {
  readonly key: string
  readonly size: number
}

/**
 * Executables that none of the dumps names. What is deleted is looked at twice: shrinking takes its time, and dumps may have
 * been brought home since that name them. Those that come now make theirs young before their manifests are there.
 */
async function* findOrphans(
  options: GcOptions,
  named: ReadonlySet<string>,
  now: number,
): AsyncGenerator<Orphan> {
  const { store, dryRun, onUnlisted = () => {} } = options
  const turn = new Turn()
  const areOrphans = async function* (names: ReadonlySet<string>): AsyncGenerator<Orphan> {
    for (const { key, size, mtime } of store.binaries(onUnlisted)) {
      if (!names.has(key) && now - mtime.getTime() > leaveAloneMs) yield { key, size }
      await turn.pass()
    }
  }
  const first = await Array.fromAsync(areOrphans(named))
  if (dryRun || first.length === 0) return yield* first
  const namedNow = await readKeys(store)
  if (namedNow !== undefined) yield* areOrphans(namedNow)
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

const freedBy = (actions: GcAction[]): number =>
  actions.reduce((sum, { bytes, failed }) => sum + (failed ? 0 : bytes), 0)

/** All dumps, and the binaries that each names. */
async function readEntries(options: GcOptions): Promise<{
  entries: RetentionEntry[]
  users: Map<string, string[]>
  sound: boolean
  held: number
}> {
  const { store, onProgress, onUnlisted } = options
  const pins = store.readPins()
  const entries: RetentionEntry[] = []
  const users = new Map<string, string[]>()
  let sound = true
  let held = 0
  const onBroken = (): void => {
    sound = false
  }
  const onGap: OnUnlisted = (directory, error) => {
    sound = false
    onUnlisted?.(directory, error)
  }
  for await (const { id, day, manifest } of everyDump(store, { onBroken, onUnlisted: onGap })) {
    const { core, hold, process } = manifest
    if (hold) held++
    entries.push({
      ...{ id, day, time: Date.parse(manifest.time), size: core.stored_size },
      pinned: pins.has(id) || hold !== undefined,
      program: (process.exe ?? process.comm).replace(/ \(deleted\)$/, ''),
      ...alikeOf({ id, day }, manifest, options),
    })
    users.set(id, binaryKeysOf(manifest))
    if (entries.length % 500 === 0) onProgress?.(entries.length, entries.length + 500)
  }
  return { entries, users, sound, held }
}

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
