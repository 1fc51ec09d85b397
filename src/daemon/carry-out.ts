/**
 * The plan of retention carried out, step by step, and planned again where a step failed: of what can't be shrunk, or can't
 * be deleted, the next plan knows, and makes room elsewhere. Otherwise an archive that is too full to shrink anything in
 * would stay so for ever.
 */
import {
  type ArchiveUsage,
  gainOf,
  planRetention,
  type RetentionEntry,
  type RetentionPolicy,
  type RetentionRule,
  type RetentionStep,
} from '../archive/retention.ts'
import type { ArchiveStore } from '../archive/store.ts'
import { NotFoundError, reasonOf } from '../base/errors.ts'
import { formatDuration, formatShare, formatSize } from '../config/index.ts'
import type { GcAction, GcOptions } from './gc.ts'
import { inHand, type ShrinkOutcome } from './shrink.ts'
import { Turn } from './steps.ts'

/** What became of a step. */
interface Deed {
  readonly action: GcAction
  /** What the next plan is to know of the dump; undefined where it is no more. */
  readonly after: RetentionEntry | undefined
}

/**
 * Yields what was done, until a plan was carried out without a failure. `limits` is the policy in bytes. What was given back
 * is counted and, before storage is full, not measured anew, since file systems may take their time to show it; that of
 * executables by each plan.
 */
export async function* carryOut(
  entries: readonly RetentionEntry[],
  limits: RetentionPolicy,
  usage: ArchiveUsage,
  options: GcOptions,
): AsyncGenerator<GcAction> {
  const { now = Date.now(), signal } = options
  const standing = new Map(entries.map(entry => [entry.id, entry]))
  const turn = new Turn()
  let { used, free, isFull = false } = usage
  for (let again = true; again; ) {
    again = false
    for (const step of planRetention([...standing.values()], limits, { ...usage, used, free, isFull }, now)) {
      if (signal?.aborted) return
      const before = standing.get(step.id)!
      const { action, after } = await carryOutStep(step, before, options)
      yield action
      await turn.pass()
      const gained = before.size - (after?.size ?? 0)
      used -= gained
      free += gained
      if (after === undefined) isFull = !standing.delete(step.id)
      else standing.set(step.id, after)
      if (action.failed === undefined) continue
      again = true
      if (action.action === 'delete' || !noRoom.test(action.failed)) continue
      for (const entry of standing.values()) standing.set(entry.id, { ...entry, shrinkable: false })
      // Crashes have come since it was measured: shrinking may have taken hours.
      free = Math.min(free, options.store.usage(used).free)
      break
    }
  }
}

/** A failure that is not the dump's own: where there is no room for a mini-core, something is to be deleted first. */
const noRoom = /^(ENOSPC|EDQUOT)$/

async function carryOutStep(step: RetentionStep, entry: RetentionEntry, options: GcOptions): Promise<Deed> {
  const { id, day, action: what, rule } = step
  const { store, policy, dryRun } = options
  const bytes = what === 'shrink' ? gainOf(entry) : entry.size
  const reason = reasonOfRule(rule, policy)
  const action: GcAction = { action: what, kind: 'dump', name: id, bytes, reason }
  const isShrink = what === 'shrink'
  const done = isShrink ? { ...lessen(entry, bytes), shrinkable: false } : undefined
  if (dryRun) return { action, after: done }
  const failed = { ...action, bytes: isShrink ? 0 : bytes }
  const left = isShrink ? { ...entry, shrinkable: false } : { ...entry, pinned: true }
  try {
    const outcome = isShrink ? await options.shrink!({ id, day }, reason) : deleteDump(step, options)
    if (outcome === undefined) return { action, after: undefined }
    if (outcome.state === 'shrunk') {
      const gained = outcome.from - outcome.to
      return { action: { ...action, bytes: gained }, after: { ...lessen(entry, gained), shrinkable: false } }
    }
    // A daemon that is told to stop begins it again.
    if (options.signal?.aborted)
      return { action: { ...failed, failed: outcome.reason, kept: true }, after: entry }
    // Whoever has it in hand is about to do the same.
    if (outcome.inHand) return { action: { ...failed, failed: outcome.reason, kept: true }, after: done }
    return asFound(store, left, { ...failed, failed: outcome.reason })
  } catch (error) {
    return asFound(store, left, { ...failed, failed: reasonOf(error) })
  }
}

/** Undefined where it is deleted. */
function deleteDump(
  { id, day }: RetentionStep,
  { store, catalog, leases }: GcOptions,
): Extract<ShrinkOutcome, { state: 'kept' }> | undefined {
  using lease = leases?.takeToDelete(id)
  if (leases !== undefined && lease === undefined) return inHand
  // Pinned since the plan was made: a person's word comes before a number's.
  if (store.isPinned(id)) return { state: 'kept', reason: 'it was pinned just now' }
  store.remove({ id, day })
  catalog?.remove(id)
  return undefined
}

/** With so many bytes fewer of its core. */
const lessen = (entry: RetentionEntry, bytes: number): RetentionEntry => ({
  ...entry,
  size: entry.size - bytes,
  core: (entry.core ?? entry.size) - bytes,
})

/**
 * What a step that was not done leaves. What another machine has deleted or shrunk meanwhile gave its room back all the same,
 * and what somebody wants by now is no failure.
 */
function asFound(store: ArchiveStore, entry: RetentionEntry, action: GcAction): Deed {
  try {
    const { hold, core } = store.readManifest(entry)
    const after = lessen(entry, Math.max(0, (entry.core ?? entry.size) - core.stored_size))
    const isWanted = hold !== undefined || store.isPinned(entry.id)
    return { action: isWanted ? { ...action, kept: true } : action, after }
  } catch (error) {
    if (!(error instanceof NotFoundError)) return { action, after: entry }
    return { action: { ...action, kept: true }, after: undefined }
  }
}

function reasonOfRule(rule: RetentionRule, policy: RetentionPolicy): string {
  const { keepFirst = 0, keepLatest = 0 } = policy
  switch (rule) {
    case 'age':
      return `older than MaxAge=${formatDuration(policy.maxAge!)}`
    case 'alike':
      return `among its like beyond KeepFirst=${keepFirst} and KeepLatest=${keepLatest}`
    case 'program-count':
      return `its program has more dumps than ProgramMaxCount=${policy.programMaxCount!}`
    case 'program-size':
      return `its program's dumps take more than ProgramMaxSize=${formatSize(policy.programMaxSize!)}`
    case 'size':
      return `the archive takes more than MaxSize=${formatSize(policy.maxSize!)}`
    case 'full':
      return 'nothing can be written there any more: its inodes, or a quota, are used up'
    case 'keep-free': {
      const keep = policy.keepFree!
      return `the file system has less than KeepFree=${keep < 1 ? formatShare(keep) : formatSize(keep)} free`
    }
  }
}
