/**
 * One dump on its way into the archive:
 *
 *     dumps/…/ID/pending.json   what is known, before the first byte of the core
 *     dumps/…/ID/core.lz4.part  the core while it comes
 *     core.lz4                  by rename, after fsync
 *     manifest.json             by rename, last: now the dump exists
 *
 * A handler that is killed leaves the first two, from which the daemon makes an honest partial dump (`src/daemon/recover.ts`).
 */
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  unlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { createFile, syncDirectory, writeAll, writeFileAtomic } from '../base/atomic-file.ts'
import { isNoSpace } from '../base/errors.ts'
import type { Crash, Rights } from './access.ts'
import { withArrival } from './arrival.ts'
import { makeDirectories } from './directories.ts'
import { initializeStore } from './format.ts'
import { coreFile, dayOf, manifestFile, newId, partFile, pendingFile } from './layout.ts'
import type { LocalStore } from './local-store.ts'
import type { Manifest } from './manifest.ts'
import { markOwn } from './own-dumps.ts'
import { ownIdentity, type ProcessIdentity } from './process-identity.ts'
import type { DumpRef } from './store.ts'

/** What `pending.json` holds. */
export interface PendingManifest extends Manifest {
  /** While this process lives, the dump is its own. */
  handler?: ProcessIdentity
}

export class DumpWriter {
  readonly ref: DumpRef
  readonly directory: string
  readonly store: LocalStore
  readonly rights: Rights
  #fd: number | undefined
  #size = 0
  #pending = false

  constructor(store: LocalStore, ref: DumpRef, rights: Rights) {
    this.store = store
    this.ref = ref
    this.rights = rights
    this.directory = store.layout.dump(ref)
  }

  /** The descriptor of the core, opened at the first call. */
  get fd(): number {
    this.#fd ??= createFile(join(this.directory, partFile), this.rights.file)
    return this.#fd
  }

  /** Bytes of the core's file so far. */
  get size(): number {
    return this.#size
  }

  /** Appends to the core. */
  write(bytes: Uint8Array): void {
    writeAll(this.fd, bytes, this.#size)
    this.#size += bytes.length
  }

  /** Waits until what was written of the core is on the storage, not merely in this machine's memory. */
  sync(): void {
    fdatasyncSync(this.fd)
  }

  /** Cuts the core's file to its first `size` bytes and goes on from there. */
  truncate(size: number): void {
    ftruncateSync(this.fd, size)
    this.#size = size
  }

  /** Bytes that this file system has left. */
  free(): number {
    const { bavail, bsize } = statfsSync(this.directory)
    return bavail * bsize
  }

  /**
   * The facts so far, and who we are, for the case that this process doesn't live to write the manifest; `lasting` where they
   * are to outlive the power, too.
   */
  writePending(manifest: Manifest, { lasting = false } = {}): void {
    const fd = createFile(join(this.directory, pendingFile), this.rights.file)
    this.#pending = true
    try {
      const pending: PendingManifest = { ...manifest, handler: ownIdentity() }
      writeAll(fd, padded(JSON.stringify(pending)))
      if (lasting) fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    if (lasting) syncDirectory(this.directory)
  }

  /** Makes the core last and gives it its name; answers its size in the file system. */
  finishCore(name: string = coreFile): number {
    const fd = this.fd
    const { size } = fstatSync(fd)
    // On NFS a full disk or an exceeded quota may show only here.
    fsyncSync(fd)
    closeSync(fd)
    this.#fd = undefined
    renameSync(join(this.directory, partFile), join(this.directory, name))
    syncDirectory(this.directory)
    return size
  }

  /** Gives the core its name where the storage could not promise that it lasts. */
  keepCore(): void {
    if (this.#fd === undefined) return
    closeSync(this.#fd)
    this.#fd = undefined
    renameSync(join(this.directory, partFile), join(this.directory, coreFile))
  }

  /** Gives up the core and its room. */
  dropCore(): void {
    if (this.#fd === undefined) return
    closeSync(this.#fd)
    this.#fd = undefined
    unlinkSync(join(this.directory, partFile))
  }

  /** Gives up the whole dump, of which nothing has been said yet. */
  abandon(): void {
    this.dropCore()
    rmSync(this.directory, { recursive: true, force: true })
  }

  /** Writes the manifest: from here on the dump exists. */
  finish(manifest: Manifest): void {
    const marked = markOwn(this.store.layout, this.ref, this.rights)
    const whole = withArrival(this.directory, { ...manifest, notes: [...manifest.notes, ...marked] })
    if (this.#pending) settlePending(this.directory, whole, this.rights)
    else writeFileAtomic(join(this.directory, manifestFile), textOf(whole), this.rights.file)
    this.#pending = false
  }
}

const textOf = (manifest: Manifest): string => `${JSON.stringify(manifest, null, 2)}\n`

/** Makes a dump of one in the making: its manifest beside `pending.json`, which goes then; on a full disk, in its place. */
export function settlePending(directory: string, manifest: Manifest, rights: Rights): void {
  const [pending, path] = [join(directory, pendingFile), join(directory, manifestFile)]
  try {
    writeFileAtomic(path, textOf(manifest), rights.file)
  } catch (error) {
    if (!isNoSpace(error) || !overwrite(pending, manifest)) throw error
    renameSync(pending, path)
    syncDirectory(directory)
    return
  }
  try {
    rmSync(pending, { force: true })
  } catch {
    // The dump is there, and beside its manifest this says nothing.
  }
}

/** Bytes that a manifest is longer than what is known beforehand: libraries, the place of the executable, notes. */
const growth = 8192
const block = 4096

/** `text` and spaces behind it, so that the manifest will have room in the same blocks. */
function padded(text: string): Buffer {
  const bytes = Buffer.from(text)
  return filled(bytes, Math.ceil((bytes.length + growth) / block) * block)
}

const filled = (bytes: Buffer, size: number): Buffer =>
  Buffer.concat([bytes, Buffer.alloc(size - bytes.length, ' ')])

/**
 * Writes a manifest over the facts, without the libraries where it would be longer than these; answers whether it did. A file
 * that needs no more blocks than it has can't fail for want of them.
 */
function overwrite(path: string, manifest: Manifest): boolean {
  const fd = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW)
  try {
    const { size } = fstatSync(fd)
    const note = 'The storage is full: there was no room for the list of libraries and further notes.'
    const short = { ...manifest, libraries: [], notes: [...manifest.notes.slice(0, 3), note] }
    const bytes = [manifest, short]
      .map(one => Buffer.from(JSON.stringify(one)))
      .find(one => one.length <= size)
    if (bytes === undefined) return false
    writeAll(fd, filled(bytes, size), 0)
    fsyncSync(fd)
    return true
  } finally {
    closeSync(fd)
  }
}

/** Begins a dump of a crash with this dump mode (`%d`) and process. Throws where the archive can't be written. */
export function beginDump(store: LocalStore, time: Date, crash: number | undefined | Crash): DumpWriter {
  initializeStore(store)
  const ref = { id: newId(), day: dayOf(time) }
  const { rights } = store
  const own = typeof crash === 'object' ? rights.forCrash(crash) : rights.forDumpable(crash)
  const writer = new DumpWriter(store, ref, own)
  makeDirectories(store.root, writer.directory, store.rights.directory)
  return writer
}
