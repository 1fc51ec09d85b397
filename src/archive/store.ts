/**
 * The archive as the rest of the program sees it. One implementation is files on a local or network disk
 * (`local-store.ts`); the interface is narrow enough for an object store.
 */
import type { Steps } from '../base/steps.ts'
import type { Manifest } from './manifest.ts'
import type { OnMeasured } from './measure.ts'

/** A dump's place: ids are unique, `day` (`YYYY/MM/DD`, UTC) makes it findable without a search. */
export interface DumpRef {
  readonly id: string
  readonly day: string
}

export interface DumpEntry extends DumpRef {
  readonly manifest: Manifest
}

/**
 * Told of a directory that can't be listed, which is then passed over; where nobody is to be told, listing throws. An archive
 * that is away altogether is none with a gap: of that listing throws in any case.
 */
export type OnUnlisted = (directory: string, error: Error) => void

export interface ListOptions {
  readonly since?: Date
  readonly onBroken?: (ref: DumpRef, error: Error) => void
  readonly onUnlisted?: OnUnlisted | undefined
}

export interface ArchiveStore {
  readonly root: string
  /** Every dump that has a manifest, newest day first. A manifest that can't be read is handed to `onBroken`. */
  list(options?: ListOptions): Iterable<DumpEntry>
  /** Days that have a directory, newest first. With `ids`, the cheap look that each scan begins with. */
  days(onUnlisted?: OnUnlisted): Iterable<string>
  /** Ids of one day's directories, those whose manifest is not written yet included; nothing is read of them. */
  ids(day: string, onUnlisted?: OnUnlisted): string[]
  /** All dumps whose id begins with `prefix`; `onBroken` as for `list`. */
  find(prefix: string, onBroken?: ListOptions['onBroken']): DumpEntry[]
  readManifest(ref: DumpRef): Manifest
  /** What its memory held is not for everybody who may read the catalog. */
  hides(manifest: Manifest): boolean
  /** When the manifest was written, milliseconds by the storage's clock; undefined where there is none. Each change has another. */
  manifestTime(ref: DumpRef): number | undefined
  /**
   * Reads the manifest, and writes by rename what `change` makes of it. Whoever changes manifests has a lease on the dump
   * (`lease.ts`), so that no change is lost to another.
   */
  changeManifest(ref: DumpRef, change: (manifest: Manifest) => Manifest): Manifest
  /** Path of the core, compressed and perhaps encrypted, or undefined when the dump has none. */
  corePath(ref: DumpRef): string | undefined
  readReport(ref: DumpRef): string | undefined
  /** Writes `report.json` by rename. */
  writeReport(ref: DumpRef, json: string): void
  /** The record of analysis attempts, `analysis.json`, beside the report; undefined where there was none. */
  readAnalysis(ref: DumpRef): string | undefined
  /** Writes `analysis.json` by rename. */
  writeAnalysis(ref: DumpRef, json: string): void
  readPins(): Map<string, Pin>
  isPinned(id: string): boolean
  pin(ref: DumpRef, pin: Pin): void
  unpin(ref: DumpRef): void
  /** Why nobody removes this dump: a hold, or a manifest that may tell of one and can't be read. */
  whyHeld(ref: DumpRef): string | undefined
  /** Removes the dump, manifest first, so that a cut removal leaves nothing listed. Throws for one on hold. */
  remove(ref: DumpRef): void
  /** Path of a stored binary, or undefined. */
  binaryPath(key: string): string | undefined
  /** Stores a file's content under its key once; answers the key. */
  addBinary(source: { fd: number; size: number }, hint: { buildId?: string }): string
  binaries(onUnlisted?: OnUnlisted): Iterable<{ key: string; size: number; mtime: Date }>
  /** Removes it, unless it is not old any more, as `isOld` says: somebody is about to name it. Answers whether it did. */
  removeBinary(key: string, isOld?: (mtime: Date) => boolean): boolean
  /** When the archive was made, milliseconds by the storage's clock. */
  made(): number
  /** What time it is by the storage's clock, which a write asks for; by this machine's where nothing can be written. */
  now(): number
  /** Not even a small file can be written, whatever is free: bytes, inodes or a quota are used up. */
  isFull(): boolean
  /** Bytes that the whole archive takes; pauses after each directory, for who has other things to do. */
  measure(onMeasured?: OnMeasured): Steps<number>
  /** Bytes that the whole archive takes, measured where they are not given, and bytes free on its file system. */
  usage(used?: number): { used: number; free: number; total: number }
}

export interface Pin {
  readonly by?: string
  readonly reason?: string
  readonly time: string
}
