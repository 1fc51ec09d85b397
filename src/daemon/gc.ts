/** Retention at work: what is deleted, with the reason for each, and the deleting itself. */
import { setImmediate } from 'node:timers/promises'
import type { StoredBinary } from '../archive/manifest.ts'
import { planRetention, type RetentionEntry, type RetentionPolicy } from '../archive/retention.ts'
import type { ArchiveStore } from '../archive/store.ts'
import { reasonOf } from '../base/errors.ts'
import type { Catalog } from '../catalog/index.ts'
import { formatDuration, formatShare, formatSize, keepFreeBytes } from '../config/index.ts'
import { findLeftovers } from './leftovers.ts'

export interface GcOptions {
  store: ArchiveStore
  policy: RetentionPolicy
  /** Loses the rows of what is deleted. */
  catalog?: Catalog | undefined
  dryRun?: boolean
  now?: number
  onProgress?: ((done: number, of: number) => void) | undefined
}

export interface GcAction {
  readonly kind: 'dump' | 'binary' | 'leftover'
  /** Dump id, binary key, or the path of a leftover. */
  readonly name: string
  readonly bytes: number
  /** A sentence. */
  readonly reason: string
  /** Why it could not be deleted; absent where it was, or would be. */
  readonly failed?: string
}

export interface GcResult {
  readonly actions: GcAction[]
  /** Bytes that were, or would be, given back. */
  readonly freed: number
  readonly kept: number
  readonly pinned: number
}

/** A handler stores an executable before the manifest that names it, and writes before it renames. */
const leaveAloneMs = 24 * 60 * 60 * 1000

export async function runGc(options: GcOptions): Promise<GcResult> {
  const { store, policy, now = Date.now() } = options
  const actions: GcAction[] = []
  const act = (action: GcAction, work: () => void): void => {
    try {
      if (!options.dryRun) work()
      actions.push(action)
    } catch (error) {
      actions.push({ ...action, failed: reasonOf(error) })
    }
  }
  for (const { path, bytes, mtime, keepMs, what, remove } of findLeftovers(store))
    if (now - mtime > keepMs)
      act(
        {
          kind: 'leftover',
          name: path,
          bytes,
          reason: `${what}, older than ${formatDuration(keepMs / 1000)}`,
        },
        remove,
      )

  const { entries, users, sound } = await readEntries(options)
  const before = freedBy(actions)
  const usage = store.usage()
  const keepFree = policy.keepFree === null ? null : keepFreeBytes(policy.keepFree, usage.total)
  const left = options.dryRun ? { used: usage.used - before, free: usage.free + before } : usage
  for (const deletion of planRetention(entries, { ...policy, keepFree }, left, now)) {
    const { id, day, size, rule } = deletion
    act({ kind: 'dump', name: id, bytes: size, reason: reasonOfRule(rule, policy) }, () => {
      // Pinned since the plan was made: a person's word comes before a number's.
      if (store.readPins().has(id)) throw new Error('it was pinned just now')
      store.remove({ id, day })
      options.catalog?.remove(id)
    })
    if (!actions.at(-1)!.failed) users.delete(id)
  }
  // A manifest that can't be read may name any of them.
  if (sound) {
    const named = new Set([...users.values()].flat())
    for (const { key, size, mtime } of store.binaries())
      if (!named.has(key) && now - mtime.getTime() > leaveAloneMs)
        act(
          { kind: 'binary', name: key, bytes: size, reason: 'no dump names this executable any more' },
          () => store.removeBinary(key),
        )
  }
  const deleted = actions.filter(({ kind, failed }) => kind === 'dump' && !failed).length
  return {
    actions,
    freed: freedBy(actions),
    kept: entries.length - deleted,
    pinned: entries.filter(({ pinned }) => pinned).length,
  }
}

const freedBy = (actions: GcAction[]): number =>
  actions.reduce((sum, { bytes, failed }) => sum + (failed ? 0 : bytes), 0)

/** All dumps, and the binaries that each names. */
async function readEntries({ store, onProgress }: GcOptions): Promise<{
  entries: RetentionEntry[]
  users: Map<string, string[]>
  sound: boolean
}> {
  const pins = store.readPins()
  const entries: RetentionEntry[] = []
  const users = new Map<string, string[]>()
  let sound = true
  const onBroken = (): void => {
    sound = false
  }
  for (const { id, day, manifest } of store.list({ onBroken })) {
    const { core, executable, libraries } = manifest
    entries.push({ id, day, time: Date.parse(manifest.time), size: core.stored_size, pinned: pins.has(id) })
    const binaries: (StoredBinary | undefined)[] = [executable, ...libraries]
    users.set(
      id,
      binaries.flatMap(binary => binary?.key ?? []),
    )
    if (entries.length % 500 === 0) {
      onProgress?.(entries.length, entries.length + 500)
      await setImmediate()
    }
  }
  return { entries, users, sound }
}

function reasonOfRule(rule: 'age' | 'size' | 'keep-free', policy: RetentionPolicy): string {
  if (rule === 'age') return `older than MaxAge=${formatDuration(policy.maxAge!)}`
  if (rule === 'size') return `the archive takes more than MaxSize=${formatSize(policy.maxSize!)}`
  const keep = policy.keepFree!
  return `the file system has less than KeepFree=${keep < 1 ? formatShare(keep) : formatSize(keep)} free`
}
