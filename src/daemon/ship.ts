/**
 * Brings home what handlers stored on this machine's own disk because the archive did not take it, or took it in part:
 * the spool has the archive's layout. A dump goes core first, then its executables, the manifest last, and leaves the
 * spool only when the copy has been read back; one that was cut in the middle is begun again.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  lstatSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Rights } from '../archive/access.ts'
import { renewBinary, storeBinary } from '../archive/binaries.ts'
import { makeDirectories } from '../archive/directories.ts'
import { DumpWriter } from '../archive/dump-writer.ts'
import { isFile } from '../archive/files.ts'
import { type DumpEntry, type DumpRef, dropReport, type LocalStore } from '../archive/index.ts'
import { coreFile, manifestFile, partFile, pendingFile } from '../archive/layout.ts'
import { type Lease, Leases } from '../archive/lease.ts'
import { binariesOf, binaryKeysOf, type StoredBinary, type StoredCore } from '../archive/manifest.ts'
import type { OnUnlisted } from '../archive/store.ts'
import { createFile, syncDirectory } from '../base/atomic-file.ts'
import { ArchiveError, reasonOf } from '../base/errors.ts'
import { openForReading } from '../base/regular-file.ts'
import { hasFile, noteApart, noteOfShipping, standingOf } from './beginning.ts'
import { type CopyOptions, copyPieces, type Piece } from './copy-file.ts'
import { joinedSteps } from './joined-core.ts'
import { findLeftovers } from './leftovers.ts'
import { requireArchive } from './maintenance.ts'
import { hasBegun } from './recover.ts'
import { takeTurns } from './steps.ts'

export interface Shipment {
  readonly ref: DumpRef
  /** Why it could not be shipped; absent where it was. */
  readonly failed?: string
  /** Why it stays in the spool for good, unless somebody sees to it. */
  readonly apart?: string
}

export interface ShipOptions extends CopyOptions {
  /** Of the archive; the daemon's own, which it keeps alive. */
  leases?: Leases | undefined
  /** Told of a dump in the spool whose manifest can't be read: it stays there. */
  onBroken?: OnBroken | undefined
  /** Told of directories of the spool that are passed over. */
  onUnlisted?: OnUnlisted | undefined
}

type OnBroken = (ref: DumpRef, error: Error) => void

/**
 * Ships each dump of `spool` that has a manifest to `archive`. One that fails stays for the next time, and so does one
 * that somebody else is at.
 */
export async function shipSpool(
  spool: LocalStore,
  archive: LocalStore,
  options: ShipOptions = {},
): Promise<Shipment[]> {
  if (!existsSync(spool.layout.dumps)) return []
  const { leases = new Leases(archive), onBroken = () => {}, onUnlisted = () => {} } = options
  const shipments: Shipment[] = []
  // Oldest first: a crash that repeats must not keep its first dump here.
  for (const entry of [...spool.list({ onBroken, onUnlisted })].reverse()) {
    if (options.signal?.aborted) break
    const { id, day } = entry
    try {
      await options.answers?.()
      requireArchive(archive)
      using lease = leases.take(id)
      if (lease === undefined || !existsSync(spool.layout.file(entry, manifestFile))) continue
      const standing = standingOf(spool, archive, entry)
      if (standing.kind === 'unlisted') continue
      if (standing.kind === 'apart') {
        noteApart(spool, archive, entry, standing.why)
        shipments.push({ ref: { id, day }, apart: standing.why })
        continue
      }
      if (standing.kind === 'wanted')
        await shipDump(spool, archive, { ...entry, ...standing }, lease, options)
      spool.remove(entry)
      shipments.push({ ref: { id, day } })
    } catch (error) {
      shipments.push({ ref: { id, day }, failed: reasonOf(error) })
    }
  }
  sweep(spool, archive)
  dropBinaries(spool)
  return shipments
}

/** Of what the archive has and what the spool has it makes one dump, `entry`; `core`: of all but the core, which is there. */
export async function shipDump(
  spool: LocalStore,
  archive: LocalStore,
  entry: DumpEntry & { readonly core?: StoredCore },
  lease: Lease,
  options: CopyOptions,
): Promise<void> {
  const { id, day, manifest } = entry
  const rights = archive.rights.forCrash(manifest)
  const writer = new DumpWriter(archive, { id, day }, rights)
  makeDirectories(archive.root, writer.directory, archive.rights.directory)
  const core = entry.core ?? (await shipCore(spool, archive, entry, writer, lease, options))
  for (const binary of binariesOf(manifest)) shipBinary(spool, archive, writer.rights, binary)
  if (!lease.isHeld()) throw new ArchiveError('another daemon has taken it over')
  // What was found in a part of the core, or without the executable, says nothing of the whole.
  dropReport(archive, entry, core)
  writer.finish({ ...manifest, core, notes: [...manifest.notes, noteOfShipping(manifest)] })
  rmSync(archive.layout.file(entry, pendingFile), { force: true })
}

/** Answers the archive's account of the core. */
async function shipCore(
  spool: LocalStore,
  archive: LocalStore,
  entry: DumpEntry,
  writer: DumpWriter,
  lease: Lease,
  options: CopyOptions,
): Promise<StoredCore> {
  const { core } = entry.manifest
  const target = (name: string): string => archive.layout.file(entry, name)
  const { pieces, asWritten } = piecesOf(spool, archive, entry)
  if (pieces.length === 0) {
    for (const name of [partFile, coreFile]) rmSync(target(name), { force: true })
    const { continues: _, ...told } = core
    return told
  }
  makeDirectories(archive.root, archive.layout.temporary, archive.rights.directory)
  const temporary = join(archive.layout.temporary, `ship-${entry.id}`)
  rmSync(temporary, { force: true })
  const fd = createFile(temporary, writer.rights.file)
  try {
    let shipped = core
    await copyPieces(pieces, { fd, path: temporary }, options)
    if (core.continues !== undefined || core.raw_size === 0 || !asWritten) {
      shipped = await takeTurns(joinedSteps(core, temporary))
      fsyncSync(fd)
    }
    if (!lease.isHeld()) throw new ArchiveError('another daemon has taken it over')
    renameSync(temporary, target(coreFile))
    rmSync(target(partFile), { force: true })
    syncDirectory(writer.directory)
    return shipped
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(fd)
  }
}

/**
 * Where the core's bytes lie, in their order, and whether they are as many here as the manifest says: of more or fewer it
 * is told what they hold, which is better than to wait for ever for those that are right.
 */
function piecesOf(
  spool: LocalStore,
  archive: LocalStore,
  entry: DumpEntry,
): { pieces: Piece[]; asWritten: boolean } {
  const { core } = entry.manifest
  const path = spool.layout.file(entry, coreFile)
  const size = lstatSync(path, { throwIfNoEntry: false })?.size
  const { continues } = core
  const at = continues?.at ?? 0
  if (core.state === 'none' && continues === undefined) return { pieces: [], asWritten: true }
  if (size === undefined && continues === undefined && core.stored_size > 0)
    throw new ArchiveError(
      `its core is gone, of which the manifest says that it has ${core.stored_size} bytes`,
    )
  // A handler that was killed could not say how much it had written.
  const asWritten = core.stored_size === 0 || (size ?? 0) === core.stored_size - at
  const rest = size === undefined ? [] : [{ path, from: 0 }]
  const names = [partFile, coreFile].map(name => archive.layout.file(entry, name))
  const begun = names.find(isFile) ?? names[0]!
  // A handler that gave it up did not ask what the archive had kept, be it more than it had said.
  if (core.state === 'none' && rest.length === 0)
    return { pieces: hasBytes(begun) ? [{ path: begun, from: 0 }] : [], asWritten }
  if (continues === undefined || at === 0) return { pieces: rest, asWritten }
  return { pieces: [{ path: begun, from: 0, to: at }, ...rest], asWritten }
}

/**
 * The key is made of the content, so it is the same in both places. One that is there is as good as new then, which gc leaves
 * alone until the manifest has come, and may get another reader.
 */
function shipBinary(spool: LocalStore, archive: LocalStore, rights: Rights, binary: StoredBinary): void {
  const { key, unreadable } = binary
  if (key === undefined) return
  const path = spool.binaryPath(key)
  const own = unreadable ? rights.withoutReader : rights
  const isThere = archive.binaryPath(key) !== undefined && renewBinary(archive.layout, key)
  if (path === undefined || (own.reader === undefined && isThere)) return
  const fd = openForReading(path)
  try {
    storeBinary(archive.layout, fd, own)
  } finally {
    closeSync(fd)
  }
}

const hour = 60 * 60 * 1000
const passOver = (): void => {}

/**
 * What a removal or a handler left that was cut: the archive has the dump, so nothing here is needed; but for the rest of a core
 * whose facts a power cut has damaged. And old temporary files.
 */
function sweep(spool: LocalStore, archive: LocalStore): void {
  for (const day of spool.days(passOver))
    for (const id of spool.ids(day, passOver)) {
      const ref = { id, day }
      if (!hasBegun(spool, ref) && hasFile(archive, ref, manifestFile) && !hasPart(spool, ref))
        rmSync(spool.layout.dump(ref), { recursive: true, force: true })
      else dropEmpty(spool.layout.dump(ref))
    }
  for (const { path, mtime, keepMs, remove } of findLeftovers(spool))
    if (path.startsWith('tmp/') && Date.now() - mtime > keepMs) remove()
}

/** A handler was killed before it had said anything there: one that lives does so at once. */
function dropEmpty(directory: string): void {
  const stat = lstatSync(directory, { throwIfNoEntry: false })
  if (!stat?.isDirectory() || Date.now() - stat.mtimeMs < 24 * hour) return
  if (readdirSync(directory).length === 0) rmdirSync(directory)
}

/** Beside what is left of its facts: a removal leaves none. */
const hasPart = (store: LocalStore, ref: DumpRef): boolean =>
  hasFile(store, ref, pendingFile) &&
  [partFile, coreFile].some(name => hasBytes(store.layout.file(ref, name)))

const hasBytes = (path: string): boolean => (lstatSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0

/**
 * Executables that no dump left in the spool needs. A handler says that there is a dump, stores its own or makes one that is
 * there young again, and writes the manifest: whoever is at it while this looks is pending, or listed, or has a young one.
 */
function dropBinaries(spool: LocalStore): void {
  let areKnown = true
  const onUnknown = (): void => {
    areKnown = false
  }
  const pending = [...spool.days(onUnknown)].some(day =>
    spool.ids(day, onUnknown).some(id => !hasFile(spool, { id, day }, manifestFile)),
  )
  if (pending) return
  const listed = spool.list({ onBroken: onUnknown, onUnlisted: onUnknown })
  const needed = new Set([...listed].flatMap(({ manifest }) => binaryKeysOf(manifest)))
  if (!areKnown) return
  const isOld = (mtime: Date): boolean => Date.now() - mtime.getTime() > hour
  for (const { key, mtime } of spool.binaries(passOver))
    if (!needed.has(key) && isOld(mtime)) spool.removeBinary(key, isOld)
}
