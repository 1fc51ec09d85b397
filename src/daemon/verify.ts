/** Looks through the archive for damage: manifests, every block of every core, executables, reports, the catalog. */
import { closeSync, constants, openSync, statSync } from 'node:fs'
import { relative } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { binariesOf, binaryKeysOf } from '../archive/manifest.ts'
import type { ArchiveStore, DumpEntry, DumpRef, OnUnlisted } from '../archive/store.ts'
import { FormatError, reasonOf } from '../base/errors.ts'
import type { Catalog, CrashRow } from '../catalog/index.ts'
import { hashOfFile, type OpenSource, openCoreFile } from '../source/index.ts'
import { addressesIn, type DamagedPart, findDamage } from './damage.ts'
import { lostBytes } from './joined-core.ts'
import { findLeftovers } from './leftovers.ts'
import { parseReport } from './report-file.ts'
import { expectedRow } from './sync.ts'

export interface Finding {
  /** `problem`: something is lost or wrong. `note`: worth knowing, nothing is lost. */
  readonly severity: 'problem' | 'note'
  /** Dump id, `binaries/KEY`, `catalog`, or a path below the archive. */
  readonly where: string
  readonly what: string
}

/** Bytes of cores looked at so far, of all there are; `id` is the dump at hand. */
export interface VerifyProgress {
  readonly done: number
  readonly of: number
  readonly id: string
}

export interface VerifyOptions {
  store: ArchiveStore
  catalog?: Catalog | undefined
  /** Dumps to look at; all, and what is not a dump, where it is absent. */
  only?: readonly DumpRef[] | undefined
}

/** Yields a finding as soon as it is made, and progress after each piece of work. */
export function* verify(options: VerifyOptions): Generator<Finding | VerifyProgress> {
  const { store, catalog, only } = options
  const { dumps: listed, broken, gaps } = listDumps(store, only)
  yield* broken
  const dumps: Listed[] = []
  const of = listed.reduce((sum, { size }) => sum + size, 0)
  let done = 0
  const known = new Map<string, string | undefined>()
  for (const dump of listed) {
    const { id, size } = dump
    yield { done, of, id }
    let before = timeOf(store, dump)
    for (let now: number | undefined; before !== undefined; before = now) {
      try {
        for (const step of verifyDump(store, dump, known))
          if (typeof step === 'number') yield { done: done + step, of, id }
          else if (timeOf(store, dump) === before) yield step
      } catch (error) {
        if (timeOf(store, dump) === before) yield problem(id, `it can't be verified: ${reasonOf(error)}`)
      }
      now = timeOf(store, dump)
      // Otherwise it was shrunk or encrypted meanwhile, and its manifest and its core did not belong together.
      if (now === before) break
    }
    if (before !== undefined) dumps.push(dump)
    done += size
  }
  if (!only) yield* verifySurroundings(store, dumps, gaps)
  if (catalog) yield* verifyCatalog(store, catalog, dumps, !only && !gaps)
}

/** Which manifest it has; undefined where it was removed since it was listed, which is no damage. */
function timeOf(store: ArchiveStore, ref: DumpRef): number | undefined {
  try {
    return store.manifestTime(ref)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

export const isFinding = (step: Finding | VerifyProgress): step is Finding => 'severity' in step

const problem = (where: string, what: string): Finding => ({ severity: 'problem', where, what })
const note = (where: string, what: string): Finding => ({ severity: 'note', where, what })

const unlistedAt = (store: ArchiveStore, directory: string, { cause }: Error): Finding =>
  problem(relative(store.root, directory), `it can't be listed: ${reasonOf(cause)}`)

/** Of each dump only what is needed to go on: an archive may have more manifests than memory holds. */
interface Listed extends DumpRef {
  readonly size: number
  readonly keys: readonly string[]
}

/** `gaps`: there is a directory that can't be listed. */
function listDumps(
  store: ArchiveStore,
  only?: readonly DumpRef[],
): { dumps: Listed[]; broken: Finding[]; gaps: boolean } {
  const broken: Finding[] = []
  let gaps = false
  const dumps: Listed[] = []
  const onBroken = ({ id }: DumpRef, error: unknown): void => {
    broken.push(problem(id, `its manifest can't be read: ${reasonOf(error)}`))
  }
  const add = ({ id, day, manifest }: DumpEntry): void => {
    dumps.push({
      id,
      day,
      size: manifest.core.raw_size,
      keys: binaryKeysOf(manifest),
    })
  }
  const onUnlisted: OnUnlisted = (directory, error) => {
    gaps = true
    broken.push(unlistedAt(store, directory, error))
  }
  if (!only) for (const entry of store.list({ onBroken, onUnlisted })) add(entry)
  for (const ref of only ?? [])
    try {
      add({ ...ref, manifest: store.readManifest(ref) })
    } catch (error) {
      onBroken(ref, error)
    }
  return { dumps, broken, gaps }
}

/** Findings, and numbers: bytes of the core's content that were read. */
function* verifyDump(
  store: ArchiveStore,
  ref: DumpRef,
  known: Map<string, string | undefined>,
): Generator<Finding | number> {
  const manifest = store.readManifest(ref)
  yield* verifyCore(store, { ...ref, manifest })
  for (const { key, path } of binariesOf(manifest)) {
    if (key === undefined) continue
    // Many dumps share one.
    if (!known.has(key)) known.set(key, whatOfBinary(store, key))
    const what = known.get(key)
    if (what !== undefined) yield problem(ref.id, `${path} was stored as binaries/${key}, which ${what}`)
  }
  try {
    const report = store.readReport(ref)
    if (report !== undefined) parseReport(report, 'report.json')
  } catch (error) {
    yield problem(ref.id, `its report can't be read and wants another analysis: ${reasonOf(error)}`)
  }
}

/** A key ends with the beginning of the content's SHA-256, see `gocore-archive(5)`. */
function whatOfBinary(store: ArchiveStore, key: string): string | undefined {
  const path = store.binaryPath(key)
  if (path === undefined) return 'is gone'
  let fd: number | undefined
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
    const [, digits] = key.split('-')
    const isSame = hashOfFile(fd).startsWith(digits ?? key)
    return isSame ? undefined : 'is not the file that was stored: its SHA-256 differs'
  } catch (error) {
    return `can't be read: ${reasonOf(error)}`
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

function* verifyCore(store: ArchiveStore, entry: DumpEntry): Generator<Finding | number> {
  const { id, manifest } = entry
  const { core } = manifest
  if (core.state === 'none') return
  const path = store.corePath(entry)
  if (path === undefined) {
    yield problem(id, `its core (${core.state}) is gone`)
    return
  }
  let source: OpenSource | undefined
  try {
    const { size } = statSync(path)
    if (size !== core.stored_size)
      yield problem(id, `its core has ${size} bytes where the manifest says ${core.stored_size}`)
    if (core.encrypted !== undefined) {
      yield* verifyEncrypted(path, id, core.encrypted)
      return
    }
    source = openCoreFile(path, { links: false })
    for (const warning of source.warnings)
      yield core.state === 'complete' ? problem(id, warning) : note(id, warning)
    if (source.size !== core.raw_size)
      yield problem(id, `its core unpacks to ${source.size} bytes where the manifest says ${core.raw_size}`)
    if (core.lost_size !== undefined) {
      const lost = lostBytes(source)
      yield (lost > core.lost_size ? problem : note)(
        id,
        `${lost} bytes of its core are damaged, ${core.lost_size} from the beginning`,
      )
      return
    }
    const { copied, what } = headCopyOf(source)
    if (what !== undefined) yield problem(id, what)
    // The warnings have told already of a file without its first bytes.
    const damage = source.warnings.length === 0 ? source.headerDamage?.() : undefined
    if (damage !== undefined)
      yield problem(
        id,
        `the LZ4 headers of its core are damaged: ${damage}; gocore-sink reads it by its index, other programs may fail`,
      )
    using headed = openCoreFile(path, { tolerant: true, links: false })
    for (const step of findDamage(source)) {
      if (typeof step === 'number') yield step
      else yield problem(id, damageText(headed, step, copied))
    }
  } catch (error) {
    yield problem(id, `its core is damaged: ${reasonOf(error)}`)
  } finally {
    source?.[Symbol.dispose]()
  }
}

/** `copied` bytes of the head are there twice. */
function damageText(source: OpenSource, part: DamagedPart, copied: number): string {
  const addresses = addressesIn(source, part)
  const where = `bytes ${part.start} to ${part.end}${addresses === undefined ? '' : `, ${addresses}`}`
  const instead =
    part.start < copied ? `; the copy of its head stands in for the first ${Math.min(copied, part.end)}` : ''
  return `its core is damaged in ${where}: ${part.reason}${instead}; the rest of it can be read`
}

/** Bytes of the head that have a second copy, and what is to be said where that is damaged. */
function headCopyOf(source: OpenSource): { copied: number; what?: string } {
  try {
    return { copied: source.headCopy?.() ?? 0 }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return { copied: 0, what: `the copy of its core's head is damaged: ${error.problem}` }
  }
}

/** Its content is not for this machine to read; that the file is the one that was written can be told. */
function* verifyEncrypted(path: string, id: string, { sha256 }: { sha256: string }): Generator<Finding> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    if (hashOfFile(fd) !== sha256)
      yield problem(id, 'its encrypted core is not the file that was written: the SHA-256 differs')
  } finally {
    closeSync(fd)
  }
}

/** What is no dump: executables that nobody names, writes that never ended. */
function* verifySurroundings(
  store: ArchiveStore,
  dumps: readonly Listed[],
  gaps: boolean,
): Generator<Finding> {
  const unlisted: Finding[] = []
  const named = new Set(dumps.flatMap(({ keys }) => keys))
  for (const { key, size } of store.binaries((place, error) =>
    unlisted.push(unlistedAt(store, place, error)),
  ))
    if (!named.has(key) && !gaps)
      yield note(`binaries/${key}`, `no dump names these ${size} bytes; gc deletes them`)
  yield* unlisted
  for (const { path, bytes, what, keepMs } of findLeftovers(store)) {
    const end = Number.isFinite(keepMs)
      ? 'gc deletes it in time'
      : 'the daemon lists it when its handler is gone'
    yield note(path, `${what}, ${bytes} bytes; ${end}`)
  }
  // What is named or pinned may lie where nothing can be listed.
  if (gaps) return
  const ids = new Set(dumps.map(({ id }) => id))
  for (const id of store.readPins().keys())
    if (!ids.has(id)) yield note(id, 'it is pinned, and there is no such dump')
}

function* verifyCatalog(
  store: ArchiveStore,
  catalog: Catalog,
  dumps: readonly Listed[],
  whole: boolean,
): Generator<Finding> {
  for (const damage of catalog.check())
    yield problem('catalog', `${damage}; gocore-sink reindex builds it anew`)
  const pins = store.readPins()
  let missing = 0
  let differing = 0
  for (const ref of dumps) {
    const row = catalog.get(ref.id)
    if (!row) missing++
    else if (!isAsStored(store, ref, row, pins.has(ref.id))) differing++
  }
  const ids = new Set(dumps.map(({ id }) => id))
  const known = whole ? catalog.days().flatMap(day => catalog.ids(day)) : []
  const gone = known.filter(id => !ids.has(id)).length
  if (missing > 0) yield note('catalog', `it does not know ${missing} of ${dumps.length} dumps yet`)
  if (differing > 0)
    yield note('catalog', `it differs from the archive in ${differing} rows; gocore-sink reindex cures that`)
  if (gone > 0) yield note('catalog', `it lists ${gone} dumps that the archive does not have`)
}

/** True of what can't be told now: somebody is changing it. */
function isAsStored(store: ArchiveStore, ref: DumpRef, row: CrashRow, pinned: boolean): boolean {
  try {
    const expected = expectedRow(store, ref, pinned)
    return expected === undefined || isDeepStrictEqual(row, expected)
  } catch {
    return true
  }
}
