/**
 * What is done in one place, archive or spool, for one dump: each command touches the storage, so each may fail, and may
 * never return (a hard NFS mount whose server is gone, a frozen file system). `PlaceThread` runs them where that does no
 * harm.
 */
import { closeSync, readSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Crash } from '../archive/access.ts'
import { makeDirectories } from '../archive/directories.ts'
import { DumpWriter } from '../archive/dump-writer.ts'
import { initializeStore } from '../archive/format.ts'
import { whyAbsent } from '../archive/known.ts'
import { openLocalStore } from '../archive/local-store.ts'
import type { Manifest, StoredBinary } from '../archive/manifest.ts'
import type { DumpRef } from '../archive/store.ts'
import { isOverQuota, SystemError } from '../base/errors.ts'
import { networkFileSystem } from '../base/network-fs.ts'
import { openForReading } from '../base/regular-file.ts'
import { endOfCut, openLz4 } from '../lz4/index.ts'
import type { MappedFiles } from './mapped-files.ts'
import { type OpenedElf, openElf } from './open-elf.ts'
import { spoolRoom } from './spool-bound.ts'
import { storeMappedFiles } from './store-files.ts'

/** Where a dump goes, and under which name. */
export interface PlaceOrder {
  readonly root: string
  readonly group: string
  readonly userAccess: boolean
  readonly ref: DumpRef
  readonly crash: Crash
  /** Bytes that must be free there. */
  readonly least: number
  /** Of a spool: what it may hold, see `spoolRoom`. */
  readonly spoolMax?: number | null
  /** Of the archive: StateDirectory, where it is told whether there was one. */
  readonly state?: string
}

export interface StoredFiles {
  executable?: StoredBinary
  libraries: StoredBinary[]
  notes: string[]
}

/** The commands, their arguments and answers. Sizes and offsets are of this place's file. */
export interface PlaceCommands {
  /** Bytes that a spool at `root` has room for, below the bound that `spoolRoom` has; of a place that is not begun yet. */
  room(root: string, most: number | null): number
  /** Of a place that is none: opens a file, see `openElf`. */
  openElf(path: string): OpenedElf | undefined
  /** Makes the dump's directory, its `pending.json` and its file; answers the bytes that are free there. */
  begin(order: PlaceOrder, pending: Manifest): number
  write(bytes: Uint8Array): void
  /** Answers the bytes that are free behind it, 0 where a quota says otherwise, and takes further ones whatever has failed. */
  truncate(size: number): number
  /**
   * Ends a core that was cut to its first blocks, in at most `room` bytes more; answers the file's size, and whether it could:
   * where it could not, the last block may be lost.
   */
  endCut(room: number): { size: number; isEnded: boolean }
  /** Makes the core last. */
  finishCore(): void
  /** What `finishCore` could not make last stays as it is. */
  keepCore(): void
  dropCore(): void
  /** Copies the first `size` bytes of another place's core here; answers how much of the content they really hold. */
  adopt(path: string, size: number): void
  /** `refused`: why nothing is stored that is not there yet. */
  storeFiles(files: MappedFiles, refused?: string): StoredFiles
  finish(manifest: Manifest): void
}

const chunkSize = 1 << 20
/** Bytes that executables and libraries leave free, for manifests. */
const leastLeft = 1 << 20
/** Bytes after which it is looked again how full the spool is: other crashes go there, too. */
const lookAfter = 64 << 20
/**
 * File systems whose server may be gone for good before this machine has sent it what it took: nothing is acknowledged
 * before it is there. FUSE is not among them, as some of its file systems send the whole file at each sync.
 */
const sentLater: ReadonlySet<string | undefined> = new Set(['NFS', 'SMB', 'SMB2', 'CIFS', 'CephFS'])

export class Place implements PlaceCommands {
  readonly #onProgress: () => void
  #dump: DumpWriter | undefined
  #crash: Crash | undefined
  #failed: unknown
  #syncs = false
  #spoolMax: number | null = null
  /** Bytes that may be written, and those after which that is reckoned anew. */
  #left = Number.POSITIVE_INFINITY
  #unseen = 0

  /** `onProgress` is called now and then in the middle of what takes long. */
  constructor(onProgress: () => void = () => {}) {
    this.#onProgress = onProgress
  }

  room(root: string, most: number | null): number {
    return Math.min(freeNear(root), spoolRoom(root, most))
  }

  openElf(path: string): OpenedElf | undefined {
    return openElf(path)
  }

  begin(order: PlaceOrder, pending: Manifest): number {
    const { root, group, userAccess, ref, crash, least, spoolMax, state } = order
    const absent = state === undefined ? undefined : whyAbsent(state, root)
    if (absent !== undefined) throw new SystemError(absent)
    const store = openLocalStore(root, { group, userAccess })
    initializeStore(store)
    const dump = new DumpWriter(store, ref, store.rights.forCrash(crash))
    makeDirectories(store.root, dump.directory, store.rights.directory)
    try {
      this.#spoolMax = spoolMax ?? null
      this.#left = spoolRoom(root, this.#spoolMax)
      const free = Math.min(dump.free(), this.#left)
      if (free < least) throw new SystemError(`only ${free} bytes are free`)
      // In a spool it tells where the rest of the core belongs, of which no byte counts without it.
      dump.writePending(pending, { lasting: spoolMax !== undefined })
      // A read-only disk shows here, and a full one: not at the first block.
      void dump.fd
      this.#syncs = sentLater.has(networkFileSystem(dump.directory))
      this.#dump = dump
      this.#crash = crash
      return free
    } catch (error) {
      dump.abandon()
      throw error
    }
  }

  write(bytes: Uint8Array): void {
    // What follows a piece that is missing has no place.
    if (this.#failed !== undefined) throw this.#failed
    try {
      this.#bound(bytes.length)
      this.#begun.write(bytes)
      this.#left -= bytes.length
      if (this.#syncs) this.#begun.sync()
    } catch (error) {
      this.#failed = error
      throw error
    }
  }

  truncate(size: number): number {
    this.#left += this.#begun.size - size
    this.#begun.truncate(size)
    const free = isOverQuota(this.#failed) ? 0 : Math.min(this.#begun.free(), this.#left)
    this.#failed = undefined
    return free
  }

  endCut(room: number): { size: number; isEnded: boolean } {
    const dump = this.#begun
    let at = dump.size
    try {
      const end = endOfCut({ name: dump.directory, size: at, read: this.#read }, room)
      if (end === undefined) return { size: at, isEnded: false }
      at = end.at
      this.truncate(at)
      this.write(end.bytes)
      return { size: dump.size, isEnded: true }
    } catch {
      // What was written of it, and the failure itself: the blocks are to be kept without an end.
      this.truncate(at)
      return { size: at, isEnded: false }
    }
  }

  finishCore(): void {
    this.#begun.finishCore()
  }

  keepCore(): void {
    this.#begun.keepCore()
  }

  dropCore(): void {
    this.#begun.dropCore()
  }

  adopt(path: string, size: number): void {
    const from = openForReading(path)
    try {
      const chunk = Buffer.alloc(chunkSize)
      for (let at = 0; at < size; ) {
        const got = readSync(from, chunk, 0, Math.min(chunkSize, size - at), at)
        if (got === 0) throw new SystemError(`${path} has lost what was written to it`)
        this.write(chunk.subarray(0, got))
        at += got
        this.#onProgress()
      }
    } finally {
      closeSync(from)
    }
    // Storage that failed may give back anything: each block is held against its checksum.
    const reader = openLz4({ name: path, size, read: this.#read })
    for (let i = 0; i < reader.table.count; i++) {
      reader.read(reader.table.starts[i]!, reader.table.starts[i + 1]! - reader.table.starts[i]!)
      this.#onProgress()
    }
  }

  storeFiles(files: MappedFiles, refused?: string): StoredFiles {
    const onNew = (size: number): void => {
      if (refused !== undefined) throw new SystemError(refused)
      this.#bound(size)
      const free = this.#begun.free()
      if (size + leastLeft > free) throw new SystemError(`it has ${size} bytes, and ${free} are free`)
      this.#left -= size
    }
    return storeMappedFiles(files, this.#begun, this.#crash!, { onNew, onProgress: this.#onProgress })
  }

  finish(manifest: Manifest): void {
    this.#begun.finish(manifest)
  }

  readonly #read = (at: number, length: number): Buffer => {
    const bytes = Buffer.alloc(length)
    return bytes.subarray(0, readSync(this.#begun.fd, bytes, 0, length, at))
  }

  #bound(length: number): void {
    this.#unseen += length
    if (this.#spoolMax !== null && this.#unseen > lookAfter) {
      this.#unseen = 0
      this.#left = Math.min(this.#left, spoolRoom(this.#begun.store.root, this.#spoolMax))
    }
    if (length > this.#left)
      throw Object.assign(new SystemError('SpoolMax is reached'), { errno: -28, code: 'ENOSPC' })
  }

  get #begun(): DumpWriter {
    if (this.#dump === undefined) throw new SystemError('the dump could not be begun there')
    return this.#dump
  }
}

/** Bytes free where `path` would be; 0 where that can't be told. */
function freeNear(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(path)
    return bavail * bsize
  } catch {
    return dirname(path) === path || path.startsWith('/proc/') ? 0 : freeNear(dirname(path))
  }
}
