/** Brings the catalog in line with the archive, which is the truth. */
import { isDeepStrictEqual } from 'node:util'
import { latestDays } from '../archive/latest-days.ts'
import type { ArchiveStore, DumpRef, OnUnlisted } from '../archive/store.ts'
import { FormatError, NotFoundError, reasonOf, UnsupportedError } from '../base/errors.ts'
import { type Catalog, type CrashRow, type CrashText, isRefusal } from '../catalog/index.ts'
import { readAnalysisRecord } from './analysis-record.ts'
import { requireArchive } from './maintenance.ts'
import { parseReport } from './report-file.ts'
import type { Rotation } from './rotation.ts'
import { rowOf } from './row.ts'
import { takeTurns } from './steps.ts'

export interface SyncOptions {
  /** Reads every dump again, not only those that the catalog does not know or waits for. */
  deep?: boolean
  /** Only so many of the newest days, and those of clocks that were wrong. */
  days?: number
  /** Chooses the days whose manifests are looked at, whether they are those that are known; all days where it is absent. */
  rotation?: Rotation
  /** Looks again at the dumps whose analysis failed: a newer program may try them. */
  failed?: boolean
  onProgress?: (done: number, of: number) => void
  /** Told of a day that can't be listed: its rows stay. */
  onUnlisted?: OnUnlisted
}

export interface SyncResult {
  added: number
  changed: number
  removed: number
  /** Dumps that could not be read, with the reason. */
  broken: { ref: DumpRef; reason: string }[]
}

/** Days are compared newest first, so that the last crashes are listed before a long sync is through. */
export async function syncCatalog(
  store: ArchiveStore,
  catalog: Catalog,
  options: SyncOptions = {},
): Promise<SyncResult> {
  return await takeTurns(syncSteps(store, catalog, options))
}

/** Reads all dumps into the catalog anew. Afterwards it holds what the archive holds, and nothing else. */
export const reindex = (
  store: ArchiveStore,
  catalog: Catalog,
  onProgress?: SyncOptions['onProgress'],
  onUnlisted?: OnUnlisted,
): Promise<SyncResult> =>
  syncCatalog(store, catalog, {
    ...{ deep: true, ...(onProgress ? { onProgress } : {}), ...(onUnlisted ? { onUnlisted } : {}) },
  })

/** One dump's row, read and put; undefined where the dump has no manifest (yet, or any more). */
export function syncDump(
  store: ArchiveStore,
  catalog: Catalog,
  ref: DumpRef,
  pinned?: boolean,
): CrashRow | undefined {
  const read = readDump(store, ref, pinned ?? store.isPinned(ref.id))
  if (read) putRow(catalog, read)
  return read?.row
}

/** The row that a dump should have. */
export const expectedRow = (store: ArchiveStore, ref: DumpRef, pinned: boolean): CrashRow | undefined =>
  readDump(store, ref, pinned)?.row

/** So many dumps are read before their rows are written in one transaction. */
const batchSize = 200

function* syncSteps(
  store: ArchiveStore,
  catalog: Catalog,
  options: SyncOptions,
): Generator<void, SyncResult> {
  const result: SyncResult = { added: 0, changed: 0, removed: 0, broken: [] }
  const pins = new Set(store.readPins().keys())
  const unsettled = unsettledIds(catalog, options, pins)
  const { onUnlisted = () => {} } = options
  const there = [...store.days(onUnlisted)]
  const all = [...new Set([...there, ...catalog.days()])].sort().reverse()
  const days = options.days === undefined ? all : latestDays(all, options.days)
  // Looks at the newest days alone come every few seconds.
  const compared =
    options.deep || options.days !== undefined
      ? new Set<string>()
      : (options.rotation?.take(days, day => catalog.ids(day).length) ?? new Set(days))
  for (const [done, day] of days.entries()) {
    options.onProgress?.(done, days.length)
    const known = new Set(catalog.ids(day))
    const present = idsOf(store, day, onUnlisted)
    if (present === undefined) continue
    dropRows(catalog, known.difference(present), result)
    const changed = compared.has(day)
      ? yield* changedIds(store, catalog, day, present, result)
      : new Set<string>()
    const isWanted = (id: string): boolean =>
      options.deep === true || !known.has(id) || unsettled.has(id) || changed.has(id)
    const wanted = [...present].filter(isWanted)
    for (let from = 0; from < wanted.length; from += batchSize) {
      putBatch(store, catalog, day, wanted.slice(from, from + batchSize), pins, result)
      yield
    }
    yield
  }
  options.onProgress?.(days.length, days.length)
  return result
}

/** Undefined where the day can't be listed. */
function idsOf(store: ArchiveStore, day: string, onUnlisted: OnUnlisted): Set<string> | undefined {
  let isListed = true
  const onGap: OnUnlisted = (directory, error) => {
    isListed = false
    onUnlisted(directory, error)
  }
  const ids = new Set(store.ids(day, onGap))
  return isListed ? ids : undefined
}

/**
 * Known dumps of the day whose manifests are not those that their rows were made of: one that was put on hold, shrunk or
 * encrypted by another node, or removed down to its directory.
 */
function* changedIds(
  store: ArchiveStore,
  catalog: Catalog,
  day: string,
  present: ReadonlySet<string>,
  result: SyncResult,
): Generator<void, Set<string>> {
  const changed = new Set<string>()
  let looked = 0
  for (const [id, time] of catalog.manifestTimes(day)) {
    try {
      if (present.has(id) && store.manifestTime({ id, day }) !== (time ?? Number.NaN)) changed.add(id)
    } catch (error) {
      requireArchive(store)
      result.broken.push({ ref: { id, day }, reason: reasonOf(error) })
    }
    if (++looked % batchSize === 0) yield
  }
  return changed
}

/**
 * Known dumps that may have changed: their analysis is open, their pin differs, or their handler was killed, so that the
 * rest of the core may have come from its machine's spool since.
 */
function unsettledIds(catalog: Catalog, options: SyncOptions, pins: ReadonlySet<string>): Set<string> {
  const rows = [
    ...catalog.list({ analysis: 'pending' }),
    ...(options.failed ? catalog.list({ analysis: 'failed' }) : []),
    ...catalog.list({ handlerKilled: true }),
  ]
  const ids = new Set(rows.map(({ id }) => id))
  const pinned = new Set(catalog.list({ pinned: true }).map(({ id }) => id))
  for (const id of pins.symmetricDifference(pinned)) ids.add(id)
  return ids
}

function putBatch(
  store: ArchiveStore,
  catalog: Catalog,
  day: string,
  ids: string[],
  pins: ReadonlySet<string>,
  result: SyncResult,
): void {
  const read = new Map<string, ReadDump | undefined>()
  for (const id of ids) {
    try {
      read.set(id, readDump(store, { id, day }, pins.has(id)))
    } catch (error) {
      if (!(error instanceof FormatError)) requireArchive(store)
      read.set(id, undefined)
      result.broken.push({ ref: { id, day }, reason: reasonOf(error) })
    }
  }
  // One that the catalog does not take keeps out none of the others.
  const isPut = (id: string, found: ReadDump): boolean => {
    try {
      putRow(catalog, found)
      return true
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error
      result.broken.push({ ref: { id, day }, reason: reasonOf(error) })
      return false
    }
  }
  catalog.transaction(() => {
    for (const [id, found] of read) {
      const before = catalog.get(id)
      if (found && isPut(id, found)) {
        if (!before) result.added++
        else if (!isDeepStrictEqual(before, found.row)) result.changed++
      } else if (before) dropRows(catalog, [id], result)
    }
  })
}

function putRow(catalog: Catalog, { row, text, time }: ReadDump): void {
  try {
    catalog.put(row, text, time)
  } catch (error) {
    if (!isRefusal(error)) throw error
    throw new UnsupportedError(`Dump ${row.id}`, `the catalog does not take it: ${reasonOf(error)}`)
  }
}

function dropRows(catalog: Catalog, ids: Iterable<string>, result: SyncResult): void {
  catalog.transaction(() => {
    for (const id of ids) {
      catalog.remove(id)
      result.removed++
    }
  })
}

interface ReadDump {
  row: CrashRow
  text: CrashText
  time: number | undefined
}

function readDump(store: ArchiveStore, ref: DumpRef, pinned: boolean): ReadDump | undefined {
  // First: a change that comes between is seen by the next scan.
  const time = store.manifestTime(ref)
  let manifest: ReturnType<ArchiveStore['readManifest']>
  try {
    manifest = store.readManifest(ref)
  } catch (error) {
    // Its handler is still at work.
    if (error instanceof NotFoundError) return undefined
    throw error
  }
  const text = store.readReport(ref)
  let report: ReturnType<typeof parseReport> | undefined
  try {
    if (text !== undefined) report = parseReport(text, `report.json of ${ref.id}`)
  } catch {
    // As if it were not there: the dump is analysed again, and verify names the damage.
  }
  const parts = { report, record: readAnalysisRecord(store, ref), pinned, hidden: store.hides(manifest) }
  return { ...rowOf({ ...ref, manifest }, parts), time }
}
