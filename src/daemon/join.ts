/**
 * The rest of a core from the spool of a node that will bring it home no more, put behind its beginning as shipping does. What
 * the spool says is taken from elsewhere, so it is believed as far as it agrees with the archive, and the spool stays as it is.
 */
import { lstatSync, type Stats, statfsSync } from 'node:fs'
import {
  type DumpEntry,
  importBinaries,
  importPin,
  initializeStore,
  type LocalStore,
  type Manifest,
} from '../archive/index.ts'
import { coreFile, manifestFile, partFile, pendingFile } from '../archive/layout.ts'
import type { Lease } from '../archive/lease.ts'
import { ArchiveError } from '../base/errors.ts'
import { standingOf } from './beginning.ts'
import { readPending } from './recover.ts'
import { shipDump } from './ship.ts'

/** False where the archive has all of it. Where it has no beginning, that part of the core is told to be lost. */
export async function joinDump(
  archive: LocalStore,
  from: LocalStore,
  dump: DumpEntry,
  lease: Lease,
): Promise<boolean> {
  const at = dump.manifest.core.continues?.at ?? 0
  if (!Number.isSafeInteger(at) || at < 0) throw new ArchiveError(`it can't go on at byte ${at} of its core`)
  const there = crashThere(archive, dump)
  if (there !== undefined && !isSame(there, dump.manifest))
    throw new ArchiveError('the archive has a dump of this id, of another crash')
  const standing = standingOf(from, archive, dump)
  if (standing.kind === 'apart') throw new ArchiveError(standing.why)
  if (standing.kind !== 'wanted') return false
  initializeStore(archive)
  // Zeros take the place of what is not there.
  const missing = standing.core === undefined ? at - sizeOfBeginning(archive, dump) : 0
  if (missing > freeOn(archive) / 2)
    throw new ArchiveError(`${missing} bytes are to come before it, which the archive does not have`)
  const { imported_from = from.root } = standing.manifest
  const manifest = { ...standing.manifest, imported_from }
  importBinaries(archive, from, manifest)
  importPin(archive, from, dump)
  await shipDump(from, archive, { ...dump, ...standing, manifest }, lease, {})
  return true
}

/** What the archive says of this dump, be it in the making; undefined where it says nothing. */
function crashThere(archive: LocalStore, dump: DumpEntry): Manifest | undefined {
  if (fileOf(archive, dump, manifestFile)) return archive.readManifest(dump)
  if (!fileOf(archive, dump, pendingFile)) return undefined
  return readPending(archive.layout.file(dump, pendingFile))
}

const isSame = (one: Manifest, other: Manifest): boolean =>
  one.time === other.time && one.process.pid === other.process.pid && one.host.boot_id === other.host.boot_id

const sizeOfBeginning = (archive: LocalStore, dump: DumpEntry): number =>
  fileOf(archive, dump, partFile)?.size ?? fileOf(archive, dump, coreFile)?.size ?? 0

function fileOf(archive: LocalStore, dump: DumpEntry, name: string): Stats | undefined {
  const stat = lstatSync(archive.layout.file(dump, name), { throwIfNoEntry: false })
  return stat?.isFile() ? stat : undefined
}

function freeOn({ root }: LocalStore): number {
  const { bavail, bsize } = statfsSync(root)
  return bavail * bsize
}
