/**
 * Brings home what handlers stored on this machine's own disk because the archive did not take it: the spool has the
 * archive's layout. A dump goes core first, then its executables, the manifest last, and leaves the spool only then; one
 * that was cut in the middle is begun again.
 */
import { closeSync, existsSync, fsyncSync, lstatSync, openSync, readSync, rmSync, statSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { storeBinary } from '../archive/binaries.ts'
import { makeDirectories } from '../archive/directories.ts'
import { DumpWriter } from '../archive/dump-writer.ts'
import type { DumpEntry, DumpRef, LocalStore, Manifest } from '../archive/index.ts'
import { coreFile, manifestFile, partFile } from '../archive/layout.ts'
import { ArchiveError, reasonOf } from '../base/errors.ts'

export interface Shipment {
  readonly ref: DumpRef
  /** Why it could not be shipped; absent where it was. */
  readonly failed?: string
}

/** Ships each dump of `spool` that has a manifest to `archive`. One that fails stays for the next time. */
export async function shipSpool(
  spool: LocalStore,
  archive: LocalStore,
  signal?: AbortSignal,
): Promise<Shipment[]> {
  if (!existsSync(spool.layout.dumps)) return []
  const shipments: Shipment[] = []
  for (const entry of [...spool.list()]) {
    if (signal?.aborted) break
    const { id, day } = entry
    try {
      await shipDump(spool, archive, entry, signal)
      shipments.push({ ref: { id, day } })
    } catch (error) {
      shipments.push({ ref: { id, day }, failed: reasonOf(error) })
    }
  }
  if (shipments.length > 0) dropBinaries(spool)
  return shipments
}

async function shipDump(
  spool: LocalStore,
  archive: LocalStore,
  entry: DumpEntry,
  signal?: AbortSignal,
): Promise<void> {
  const { id, day, manifest } = entry
  if (!existsSync(archive.layout.file(entry, manifestFile))) {
    const rights = archive.rights.forDumpable(manifest.dumpable)
    const writer = new DumpWriter(archive, { id, day }, rights)
    makeDirectories(archive.root, writer.directory, archive.rights.directory)
    for (const name of [partFile, coreFile]) rmSync(archive.layout.file(entry, name), { force: true })
    if (manifest.core.state !== 'none')
      await shipCore(spool.layout.file(entry, coreFile), manifest, writer, signal)
    for (const key of keysOf(manifest)) shipBinary(spool, archive, writer, key)
    const note = `Stored on this machine first; shipped to the archive at ${new Date().toISOString()}.`
    writer.finish({ ...manifest, notes: [...manifest.notes, note] })
  }
  spool.remove(entry)
}

async function shipCore(
  path: string,
  { core }: Manifest,
  writer: DumpWriter,
  signal?: AbortSignal,
): Promise<void> {
  const { size } = statSync(path)
  if (size !== core.stored_size)
    throw new ArchiveError(`its core has ${size} bytes where the manifest says ${core.stored_size}`)
  try {
    await copyFile(path, writer, signal)
    writer.finishCore()
  } catch (error) {
    writer.dropCore()
    throw error
  }
}

const chunkSize = 1 << 20
/** Storage is made to keep up, so that the last fsync does not take minutes in which nothing else happens here. */
const syncEvery = 64

async function copyFile(path: string, writer: DumpWriter, signal?: AbortSignal): Promise<void> {
  const fd = openSync(path, 'r')
  const chunk = Buffer.allocUnsafe(chunkSize)
  try {
    for (let n = 1; ; n++) {
      signal?.throwIfAborted()
      const got = readSync(fd, chunk, 0, chunkSize, null)
      if (got === 0) return
      writer.write(chunk.subarray(0, got))
      if (n % syncEvery === 0) fsyncSync(writer.fd)
      await setImmediate()
    }
  } finally {
    closeSync(fd)
  }
}

const keysOf = ({ executable, libraries }: Manifest): string[] => [
  ...new Set([executable?.key, ...libraries.map(({ key }) => key)].filter(key => key !== undefined)),
]

/** The key is made of the content, so it is the same in both places. */
function shipBinary(spool: LocalStore, archive: LocalStore, writer: DumpWriter, key: string): void {
  const path = spool.binaryPath(key)
  if (path === undefined || archive.binaryPath(key) !== undefined) return
  const fd = openSync(path, 'r')
  try {
    storeBinary(archive.layout, fd, writer.rights)
  } finally {
    closeSync(fd)
  }
}

/** Executables that no dump left in the spool needs. Only those of before now: a handler stores its own first. */
function dropBinaries(spool: LocalStore): void {
  const needed = new Set([...spool.list()].flatMap(({ manifest }) => keysOf(manifest)))
  const pending = [...spool.days()].some(day => spool.ids(day).some(id => !hasManifest(spool, { id, day })))
  if (pending) return
  for (const { key } of spool.binaries()) if (!needed.has(key)) spool.removeBinary(key)
}

const hasManifest = (store: LocalStore, ref: DumpRef): boolean =>
  lstatSync(store.layout.file(ref, manifestFile), { throwIfNoEntry: false }) !== undefined
