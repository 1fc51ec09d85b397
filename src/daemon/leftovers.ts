/**
 * What lies in an archive and belongs to no dump: files in `tmp/` of a write that was cut, directories of dumps whose
 * manifest was never written, or was removed before the rest could be, and in those of others what a change left behind
 * that was cut: a core that the manifest does not name, a file that was to be renamed.
 */
import { lstatSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { removeAll } from '../archive/files.ts'
import { coreFiles, encryptedPartFile, miniPartFile, pendingFile } from '../archive/layout.ts'
import type { Manifest } from '../archive/manifest.ts'
import type { ArchiveStore, DumpRef } from '../archive/store.ts'
import { NotFoundError, SinkError } from '../base/errors.ts'
import { readPending } from './recover.ts'

export interface Leftover {
  /** Below the archive's root. */
  readonly path: string
  readonly bytes: number
  /** What they take. */
  readonly disk: number
  /** Last change, milliseconds since the epoch. */
  readonly mtime: number
  /** It may be deleted when it has not changed for so long; infinite of what the daemon brings to an end. */
  readonly keepMs: number
  readonly what: string
  remove(): void
}

const day = 24 * 60 * 60 * 1000

/** Whoever lists the dumps tells of it. */
const passOver = (): void => {}

export function* findLeftovers(store: ArchiveStore): Generator<Leftover> {
  for (const leftover of leftoverSteps(store)) if (leftover !== undefined) yield leftover
}

/** The same with a pause, an `undefined`, after each dump. */
export function* leftoverSteps(store: ArchiveStore): Generator<Leftover | undefined> {
  for (const name of namesIn(join(store.root, 'tmp'))) {
    const path = join('tmp', name)
    yield {
      ...sizeOf(join(store.root, path)),
      path,
      keepMs: day,
      what: 'a write that never ended',
      remove: () => removeAll(join(store.root, path)),
    }
  }
  for (const date of store.days(passOver))
    for (const id of store.ids(date, passOver)) {
      yield undefined
      const ref = { id, day: date }
      const path = join('dumps', date, id)
      const manifest = manifestOf(store, ref)
      if (manifest !== undefined) {
        yield* straysOf(store, path, manifest)
        continue
      }
      const isInTheMaking = mayBeInTheMaking(join(store.root, path, pendingFile))
      yield {
        ...sizeOf(join(store.root, path)),
        path,
        // It may hold what a killed handler saw of a core: someone may want to look.
        keepMs: isInTheMaking ? Number.POSITIVE_INFINITY : 7 * day,
        what: isInTheMaking
          ? 'a dump in the making'
          : 'a dump without a manifest: its handler was killed, or its deletion was cut',
        remove: () => store.remove(ref),
      }
    }
}

/**
 * Where it says what it is to be, its handler lives, or recovery lists it (`recover.ts`), which has better signs of death than an
 * age by a clock that may be wrong. What storage does not let be read now may say so.
 */
function mayBeInTheMaking(pending: string): boolean {
  try {
    readPending(pending)
    return true
  } catch (error) {
    return !(
      error instanceof SinkError || ['ENOENT', 'ELOOP'].includes((error as NodeJS.ErrnoException).code!)
    )
  }
}

/** `unreadable` is damage, and no leftover. */
function manifestOf(store: ArchiveStore, ref: DumpRef): Manifest | 'unreadable' | undefined {
  try {
    return store.readManifest(ref)
  } catch (error) {
    return error instanceof NotFoundError ? undefined : 'unreadable'
  }
}

/** Encryption and shrinking put one core in another's place: see `encrypt.ts`, `shrink.ts`. */
function* straysOf(
  store: ArchiveStore,
  directory: string,
  manifest: Manifest | 'unreadable',
): Generator<Leftover> {
  const named = manifest === 'unreadable' ? undefined : manifest.core.file
  const names = namesIn(join(store.root, directory))
  // Without the one that counts, the other one may be all there is.
  if (named === undefined || !names.includes(named)) return
  for (const name of names) {
    const isCore = coreFiles.includes(name) && name !== named
    if (!isCore && name !== encryptedPartFile && name !== miniPartFile && !/\.tmp$/.test(name)) continue
    const path = join(directory, name)
    yield {
      ...sizeOf(join(store.root, path)),
      path,
      keepMs: day,
      what: isCore ? 'a core in whose place another has come' : 'a write that never ended',
      remove: () => rmSync(join(store.root, path)),
    }
  }
}

/** Bytes and the latest change of a file, or of a directory and what lies in it. */
function sizeOf(path: string): { bytes: number; disk: number; mtime: number } {
  try {
    const stat = lstatSync(path)
    const inside = stat.isDirectory() ? namesIn(path).map(name => sizeOf(join(path, name))) : []
    return {
      bytes: inside.reduce((sum, { bytes }) => sum + bytes, stat.isFile() ? stat.size : 0),
      disk: inside.reduce((sum, { disk }) => sum + disk, stat.isFile() ? stat.blocks * 512 : 0),
      mtime: inside.reduce((latest, { mtime }) => Math.max(latest, mtime), stat.mtimeMs),
    }
  } catch {
    // Gone between the look and this one, so nobody's leftover.
    return { bytes: 0, disk: 0, mtime: Number.POSITIVE_INFINITY }
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
