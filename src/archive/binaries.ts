/**
 * `binaries/`: the crashed executables and, for dynamically linked programs, their libraries. Stored as they are, not
 * compressed: the engine reads them at random offsets, and `dlv core ARCHIVE/binaries/…/binary CORE` works by hand.
 * The key carries a hash of the content, since a build id is only what a file says of itself: a forged one must not
 * put another file in the place of an honest program's.
 */
import type { Hash } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { addReader } from '../base/acl.ts'
import { createFile, syncDirectory, writeAll, writeFileAtomic } from '../base/atomic-file.ts'
import { ArchiveError, reasonOf } from '../base/errors.ts'
import { readRegularFile } from '../base/regular-file.ts'
import type { Rights } from './access.ts'
import { findBuildId } from './build-id.ts'
import { makeDirectories, makeDirectory } from './directories.ts'
import { isFile, namesIn, removeAll } from './files.ts'
import { binaryFile, binaryInfoFile, keyPattern, type Layout, newId } from './layout.ts'
import { openWay } from './own-dumps.ts'
import type { OnUnlisted } from './store.ts'

export interface BinaryInfo {
  schema: 'gocore-binary'
  version: 1
  key: string
  /** As the first process that crashed with it saw it, escaped. */
  path?: string
  build_id?: string
  size: number
  sha256: string
  stored: string
}

const chunkSize = 1 << 20
const mostInfo = 1 << 20

/** A reader of an open file, for `findBuildId`. */
export const readerOf =
  (fd: number) =>
  (offset: number, length: number): Buffer => {
    const bytes = Buffer.alloc(Math.max(0, Math.min(length, 1 << 20)))
    if (!Number.isSafeInteger(offset) || offset < 0) return bytes.subarray(0, 0)
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, offset))
  }

export interface BinaryHint {
  /** As the process saw it. */
  readonly path?: string | undefined
  /** What it is to be; nothing is stored of a file that is something else. */
  readonly key?: string | undefined
  /** Called for each piece that was read or written. */
  readonly onProgress?: (() => void) | undefined
  /** Called with the size of a file that is not there yet; throws where it is not to be written. */
  readonly onNew?: ((size: number) => void) | undefined
}

/**
 * Stores the file behind `fd` once, however many handlers do so at a time: each fills a directory of its own below
 * `tmp/`, one rename wins, the others find the place taken. A stored file is compared by its hash, never rewritten.
 */
export function storeBinary(
  layout: Layout,
  fd: number,
  rights: Rights,
  { path, key: expected, onProgress = () => {}, onNew = () => {} }: BinaryHint = {},
): { key: string; buildId?: string; size: number } {
  const before = fstatSync(fd)
  if (!before.isFile()) throw new ArchiveError('Cannot store the executable: it is not a regular file')
  const buildId = findBuildId(readerOf(fd))
  const sha256 = hashOf(fd, onProgress)
  const key =
    buildId !== undefined && /^.{16,64}$/.test(buildId)
      ? `${buildId}-${sha256.slice(0, 16)}`
      : sha256.slice(0, 40)
  if (expected !== undefined && expected !== key)
    throw new ArchiveError(`it is not the file that was stored as ${expected}`)
  const result = { key, ...(buildId === undefined ? {} : { buildId }), size: before.size }
  const place = layout.binary(key)
  if (isStored(place, before.size) && touch(place)) {
    letIn(layout, place, rights)
    return result
  }
  onNew(before.size)
  makeDirectories(layout.root, dirname(place), rights.directory)
  makeDirectories(layout.root, layout.temporary, rights.directory)
  const temporary = join(layout.temporary, newId())
  makeDirectory(temporary, rights.directory)
  try {
    copyTo(fd, join(temporary, binaryFile), rights, sha256, onProgress)
    const info: BinaryInfo = {
      schema: 'gocore-binary',
      version: 1,
      key,
      ...(path === undefined ? {} : { path }),
      ...(buildId === undefined ? {} : { build_id: buildId }),
      size: before.size,
      sha256,
      stored: new Date().toISOString(),
    }
    writeFileAtomic(join(temporary, binaryInfoFile), `${JSON.stringify(info, null, 2)}\n`, rights.file)
    renameSync(temporary, place)
    syncDirectory(dirname(place))
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true })
    // Another one was faster.
    if (!isStored(place, before.size)) throw error
  }
  letIn(layout, place, rights)
  return result
}

/**
 * Whoever may read a dump may read what it was made of: a process that the kernel dumps for its user (mode 1) runs a file
 * that this user can read. One more reader of a file that is stored for all.
 */
function letIn(layout: Layout, place: string, { reader, file }: Rights): void {
  if (reader === undefined) return
  try {
    openWay(layout.root, place)
    for (const name of [binaryFile, binaryInfoFile]) {
      const fd = openSync(join(place, name), constants.O_RDONLY | constants.O_NOFOLLOW)
      try {
        addReader(fd, file.mode, reader)
      } finally {
        closeSync(fd)
      }
    }
  } catch {
    // It is stored all the same.
  }
}

/** Used again is as good as new: gc leaves alone what is young, until the manifest that names it is there. */
export const renewBinary = (layout: Layout, key: string): boolean => touch(layout.binary(key))

/** False where gc was faster. */
function touch(place: string): boolean {
  try {
    const now = new Date()
    utimesSync(join(place, binaryFile), now, now)
    return true
  } catch (error) {
    // Not ours to touch; it is no orphan for being old.
    return (error as NodeJS.ErrnoException).code !== 'ENOENT'
  }
}

function isStored(place: string, size: number): boolean {
  try {
    return statSync(join(place, binaryFile)).size === size
  } catch {
    return false
  }
}

/** Loaded when it is needed: the handler gets here only after the crashed process is free. */
const newHash = (): Hash => process.getBuiltinModule('node:crypto').createHash('sha256')

function hashOf(fd: number, onProgress: () => void): string {
  const hash = newHash()
  eachChunk(fd, chunk => {
    hash.update(chunk)
    onProgress()
  })
  return hash.digest('hex')
}

function copyTo(fd: number, path: string, rights: Rights, sha256: string, onProgress: () => void): void {
  const output = createFile(path, rights.file)
  try {
    const hash = newHash()
    let at = 0
    eachChunk(fd, chunk => {
      hash.update(chunk)
      // What was never written takes no room here either.
      if (!isZeros(chunk)) writeAll(output, chunk, at)
      at += chunk.length
      onProgress()
    })
    if (hash.digest('hex') !== sha256) throw new ArchiveError('The file changed while it was stored')
    ftruncateSync(output, at)
    fsyncSync(output)
  } finally {
    closeSync(output)
  }
}

/** Each byte is like the one before it. */
const isZeros = (bytes: Buffer): boolean => bytes[0] === 0 && bytes.subarray(1).equals(bytes.subarray(0, -1))

function eachChunk(fd: number, use: (chunk: Buffer) => void): void {
  const chunk = Buffer.allocUnsafe(chunkSize)
  for (let at = 0; ; ) {
    const got = readSync(fd, chunk, 0, chunkSize, at)
    if (got === 0) return
    use(chunk.subarray(0, got))
    at += got
  }
}

export function findBinary(layout: Layout, key: string): string | undefined {
  if (!keyPattern.test(key)) return undefined
  const path = join(layout.binary(key), binaryFile)
  try {
    return isFile(path) ? path : undefined
  } catch (error) {
    // Whoever may read a dump of theirs alone does without what is everyone's.
    if ((error as NodeJS.ErrnoException).code === 'EACCES') return undefined
    throw error
  }
}

/** Keys of the stored binaries that carry this build id. */
export function keysOfBuildId(layout: Layout, buildId: string): string[] {
  if (!/^[0-9a-f]{16,64}$/.test(buildId)) return []
  return namesIn(join(layout.binaries, buildId.slice(0, 2))).filter(
    name => keyPattern.test(name) && name.startsWith(`${buildId}-`),
  )
}

export function readBinaryInfo(layout: Layout, key: string): BinaryInfo | undefined {
  try {
    const info = JSON.parse(readRegularFile(join(layout.binary(key), binaryInfoFile), mostInfo)) as BinaryInfo
    return info.schema === 'gocore-binary' ? info : undefined
  } catch {
    return undefined
  }
}

export function* listBinaries(
  layout: Layout,
  onUnlisted?: OnUnlisted,
): Generator<{ key: string; size: number; mtime: Date }> {
  const look = <T>(place: string, nothing: T, at: () => T): T => {
    try {
      return at()
    } catch (error) {
      if (onUnlisted === undefined) throw error
      onUnlisted(place, new ArchiveError(`Cannot list ${place}: ${reasonOf(error)}`, { cause: error }))
      return nothing
    }
  }
  const namesAt = (place: string): string[] => look(place, [], () => namesIn(place))
  for (const first of namesAt(layout.binaries))
    for (const key of namesAt(join(layout.binaries, first))) {
      if (!keyPattern.test(key) || !key.startsWith(first)) continue
      const place = layout.binary(key)
      const file = join(place, binaryFile)
      const stat = look(place, undefined, () => statSync(file, { throwIfNoEntry: false }))
      if (stat !== undefined) yield { key, size: stat.size, mtime: stat.mtime }
    }
}

/**
 * False where it has become young again, as `isOld` says: a handler has found it there, and is about to name it. One that
 * comes later finds none, and stores it anew.
 */
export function removeBinary(
  layout: Layout,
  key: string,
  rights: Rights,
  isOld?: (mtime: Date) => boolean,
): boolean {
  // Renamed away first, so that a handler never finds half a binary in its place; into tmp/, where gc finds it if this is cut.
  const doomed = join(layout.temporary, `${newId()}.removed`)
  makeDirectories(layout.root, layout.temporary, rights.directory)
  renameSync(layout.binary(key), doomed)
  const isYoung = isOld !== undefined && !isOld(mtimeOf(join(doomed, binaryFile)))
  if (isYoung && putBack(doomed, layout.binary(key))) return false
  removeAll(doomed)
  return true
}

/** By its descriptor: for opening it NFS asks the server. */
function mtimeOf(path: string): Date {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    return fstatSync(fd).mtime
  } finally {
    closeSync(fd)
  }
}

/** False where it has been stored anew meanwhile. */
function putBack(doomed: string, place: string): boolean {
  try {
    renameSync(doomed, place)
    return true
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST'].includes((error as NodeJS.ErrnoException).code!)) return false
    throw error
  }
}
