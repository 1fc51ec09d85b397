/**
 * The archive as plain files on a local disk or NFS. Directories may lag behind on NFS and files vanish between a
 * listing and a read: absence is never an error here, only what is there and can't be read.
 */
import { closeSync, fstatSync, fsyncSync, lstatSync, rmSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { createFile, syncDirectory, writeAll, writeFileAtomic } from '../base/atomic-file.ts'
import { ArchiveError, FormatError, isNoSpace, NotFoundError, reasonOf } from '../base/errors.ts'
import { runThrough, type Steps } from '../base/steps.ts'
import { findGroup, Rights } from './access.ts'
import { findBinary, keysOfBuildId, listBinaries, removeBinary, storeBinary } from './binaries.ts'
import { makeDirectories } from './directories.ts'
import { exists, isFile, mayList, names, readText, removeAll, removeIfThere } from './files.ts'
import { checkFormat } from './format.ts'
import {
  analysisFile,
  coreFiles,
  dayOf,
  formatFile,
  idPattern,
  type Layout,
  layoutOf,
  manifestFile,
  newId,
  reportFile,
} from './layout.ts'
import { formatHold, type Manifest, mostManifest, parseManifest } from './manifest.ts'
import { type OnMeasured, sizeBelow } from './measure.ts'
import { ownDumps, unmarkOwn } from './own-dumps.ts'
import { isPinned, readPins, writePin } from './pins.ts'
import type { ArchiveStore, DumpEntry, DumpRef, ListOptions, OnUnlisted, Pin } from './store.ts'

export interface LocalStoreOptions {
  /** Group that may read; empty or unknown for root alone. */
  group?: string
  /** Users may read the dumps of their own processes. */
  userAccess?: boolean
}

const mostReport = 1 << 30

export class LocalStore implements ArchiveStore {
  readonly root: string
  readonly layout: Layout
  readonly rights: Rights

  constructor(root: string, rights: Rights) {
    this.root = root
    this.layout = layoutOf(root)
    this.rights = rights
  }

  *days(onUnlisted?: OnUnlisted): Generator<string> {
    const own = this.own()
    if (own !== undefined) return yield* [...new Set(own.map(({ day }) => day))].sort().reverse()
    for (const year of names(this.layout.dumps, /^[0-9]{4}$/))
      for (const month of this.#names(join(this.layout.dumps, year), /^(0[1-9]|1[0-2])$/, onUnlisted))
        for (const day of this.#names(
          join(this.layout.dumps, year, month),
          /^(0[1-9]|[12][0-9]|3[01])$/,
          onUnlisted,
        ))
          yield `${year}/${month}/${day}`
  }

  ids(day: string, onUnlisted?: OnUnlisted): string[] {
    const own = this.own()
    if (own !== undefined) return own.flatMap(ref => (ref.day === day ? [ref.id] : []))
    return this.#names(this.layout.day(day), idPattern, onUnlisted)
  }

  #names(directory: string, pattern: RegExp, onUnlisted?: OnUnlisted): string[] {
    try {
      return names(directory, pattern)
    } catch (error) {
      if (onUnlisted === undefined || !exists(join(this.root, formatFile))) throw error
      onUnlisted(directory, error as Error)
      return []
    }
  }

  /** For a user who may not list the archive, and may read their own dumps in it: those; undefined for everybody else. */
  own(): DumpRef[] | undefined {
    const uid = process.geteuid?.() ?? 0
    if (uid === 0 || mayList(this.layout.dumps) || !exists(this.layout.users)) return undefined
    return ownDumps(this.layout, uid)
  }

  *list(options: ListOptions = {}): Generator<DumpEntry> {
    const { onBroken, onUnlisted } = options
    const first = options.since === undefined ? '' : dayOf(options.since)
    for (const day of this.days(onUnlisted)) {
      if (day < first) return
      const entries = this.#read(day, this.ids(day, onUnlisted), onBroken)
      entries.sort((a, b) => (a.manifest.time < b.manifest.time ? 1 : -1))
      for (const entry of entries)
        if (options.since === undefined || new Date(entry.manifest.time) >= options.since) yield entry
    }
  }

  find(prefix: string, onBroken?: ListOptions['onBroken']): DumpEntry[] {
    if (!/^[a-z2-7]{0,12}$/.test(prefix)) return []
    return [...this.days()].flatMap(day => this.#read(day, this.#idsWith(prefix, day), onBroken))
  }

  /** For a whole id the day is asked by its name: it may have thousands. */
  #idsWith(prefix: string, day: string): string[] {
    if (idPattern.test(prefix))
      try {
        const path = this.layout.dump({ id: prefix, day })
        return lstatSync(path, { throwIfNoEntry: false }) === undefined ? [] : [prefix]
      } catch {
        // What is amiss with the day its list tells.
      }
    return this.ids(day).filter(id => id.startsWith(prefix))
  }

  #read(day: string, ids: string[], onBroken?: (ref: DumpRef, error: Error) => void): DumpEntry[] {
    const entries: DumpEntry[] = []
    for (const id of ids) {
      try {
        const text = this.#text({ id, day }, manifestFile, mostManifest)
        if (text !== undefined) entries.push({ id, day, manifest: this.#parse({ id, day }, text) })
      } catch (error) {
        onBroken?.({ id, day }, error as Error)
      }
    }
    return entries
  }

  manifestTime(ref: DumpRef): number | undefined {
    return lstatSync(this.layout.file(ref, manifestFile), { throwIfNoEntry: false })?.mtimeMs
  }

  readManifest(ref: DumpRef): Manifest {
    const text = this.#text(ref, manifestFile, mostManifest)
    if (text === undefined) throw new NotFoundError(`Dump ${ref.id} has no manifest`)
    return this.#parse(ref, text)
  }

  hides(manifest: Manifest): boolean {
    return this.rights.hides(manifest)
  }

  changeManifest(ref: DumpRef, change: (manifest: Manifest) => Manifest): Manifest {
    const manifest = change(this.readManifest(ref))
    const text = `${JSON.stringify(manifest, null, 2)}\n`
    writeFileAtomic(this.layout.file(ref, manifestFile), text, this.rights.forCrash(manifest).file)
    return manifest
  }

  #parse(ref: DumpRef, text: string): Manifest {
    const file = this.layout.file(ref, manifestFile)
    const manifest = parseManifest(text, file)
    if (manifest.id !== ref.id)
      throw new FormatError({ file, section: 'manifest', offset: 0 }, `id is ${manifest.id}, not ${ref.id}`)
    return manifest
  }

  corePath(ref: DumpRef): string | undefined {
    // While a core is encrypted or shrunk there are two; the manifest says which one counts.
    const named = coreFiles.filter(name => name === this.#namedCore(ref))
    return [...named, ...coreFiles].map(name => this.layout.file(ref, name)).find(isFile)
  }

  #namedCore(ref: DumpRef): string | undefined {
    try {
      return this.readManifest(ref).core.file
    } catch {
      return undefined
    }
  }

  readReport(ref: DumpRef): string | undefined {
    return this.#text(ref, reportFile, mostReport)
  }

  writeReport(ref: DumpRef, json: string): void {
    this.#write(ref, reportFile, json)
  }

  readAnalysis(ref: DumpRef): string | undefined {
    return this.#text(ref, analysisFile, mostManifest)
  }

  writeAnalysis(ref: DumpRef, json: string): void {
    this.#write(ref, analysisFile, json)
  }

  /** Beside the dump's other files and with the same rights: a report tells what the memory held. */
  #write(ref: DumpRef, name: string, text: string): void {
    const manifest = this.readManifest(ref)
    writeFileAtomic(this.layout.file(ref, name), text, this.rights.forCrash(manifest).file)
  }

  readPins(): Map<string, Pin> {
    return readPins(this.layout)
  }

  isPinned(id: string): boolean {
    return isPinned(this.layout, id)
  }

  pin(ref: DumpRef, pin: Pin): void {
    this.readManifest(ref)
    writePin(this.layout, ref.id, pin, this.rights)
  }

  unpin(ref: DumpRef): void {
    removeIfThere(this.layout.pin(ref.id))
  }

  remove(ref: DumpRef): void {
    const directory = this.layout.dump(ref)
    const stat = lstatSync(directory, { throwIfNoEntry: false })
    if (stat === undefined) throw new NotFoundError(`No dump is called ${ref.id}`)
    if (!stat.isDirectory()) throw new ArchiveError(`${directory} is not a directory`)
    const held = this.whyHeld(ref)
    if (held !== undefined) throw new ArchiveError(`Refused to remove ${ref.id}: ${held}`)
    const uid = this.#ownerOf(ref)
    if (uid !== undefined) unmarkOwn(this.layout, ref, uid)
    removeIfThere(join(directory, manifestFile))
    syncDirectory(directory)
    removeAll(directory)
    this.unpin(ref)
  }

  whyHeld(ref: DumpRef): string | undefined {
    try {
      const { hold } = this.readManifest(ref)
      return hold && formatHold(hold)
    } catch (error) {
      if (error instanceof NotFoundError) return undefined
      // Damaged, or of another version: what is left of it says so, or nobody knows.
      if (error instanceof FormatError && !/"hold"/.test(this.#text(ref, manifestFile, mostManifest) ?? ''))
        return undefined
      return `its manifest, which may tell of a hold, can't be read: ${reasonOf(error)}`
    }
  }

  #ownerOf(ref: DumpRef): number | undefined {
    if (!exists(this.layout.users)) return undefined
    try {
      return this.readManifest(ref).process.uid
    } catch {
      // Its mark stays, and lists nothing.
      return undefined
    }
  }

  binaryPath(key: string): string | undefined {
    return findBinary(this.layout, key)
  }

  addBinary(source: { fd: number; size: number }, hint: { buildId?: string; path?: string } = {}): string {
    return storeBinary(this.layout, source.fd, this.rights, { path: hint.path }).key
  }

  /** Paths of stored binaries that say they have this build id; more than one where somebody forged it. */
  binariesOfBuildId(buildId: string): string[] {
    return keysOfBuildId(this.layout, buildId)
      .map(key => this.binaryPath(key))
      .filter(path => path !== undefined)
  }

  binaries(onUnlisted?: OnUnlisted): Iterable<{ key: string; size: number; mtime: Date }> {
    return listBinaries(this.layout, onUnlisted)
  }

  removeBinary(key: string, isOld?: (mtime: Date) => boolean): boolean {
    return removeBinary(this.layout, key, this.rights, isOld)
  }

  made(): number {
    return lstatSync(join(this.root, formatFile)).mtimeMs
  }

  now(): number {
    try {
      return this.#touch()
    } catch {
      return Date.now()
    }
  }

  isFull(): boolean {
    try {
      this.#touch()
      return false
    } catch (error) {
      return isNoSpace(error)
    }
  }

  /** A small file, which is removed again; answers its time. */
  #touch(): number {
    const path = join(this.layout.temporary, newId())
    makeDirectories(this.root, this.layout.temporary, this.rights.directory)
    const fd = createFile(path, this.rights.file)
    try {
      // Also where the file's own making sets no time, as NFS does for one that must not exist.
      writeAll(fd, Buffer.from('\n'))
      fsyncSync(fd)
      return fstatSync(fd).mtimeMs
    } finally {
      closeSync(fd)
      rmSync(path, { force: true })
    }
  }

  measure(onMeasured?: OnMeasured): Steps<number> {
    return sizeBelow(this.root, 8, onMeasured)
  }

  usage(used?: number): { used: number; free: number; total: number } {
    const { bavail, bsize, blocks } = statfsSync(this.root)
    return { used: used ?? runThrough(this.measure()), free: bavail * bsize, total: blocks * bsize }
  }

  #text(ref: DumpRef, name: string, most: number): string | undefined {
    return readText(this.layout.file(ref, name), most)
  }
}

/** Opens the archive at `root`. One of a newer layout is refused; one that is still empty is not an error. */
export function openLocalStore(root: string, options: LocalStoreOptions = {}): LocalStore {
  checkFormat(root)
  return new LocalStore(root, new Rights(findGroup(options.group ?? ''), options.userAccess))
}
