/**
 * Dumps that did not come through the handler: a core file of some other writer, or a dump of another archive. Both
 * end as every dump does, with the manifest as the last thing written. Whoever imports has a lease on the id, so that the
 * part of a core that lies there is one of an import that was cut.
 */
import { createHash, type Hash } from 'node:crypto'
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../base/atomic-file.ts'
import { ArchiveError, FormatError, reasonOf, UnsupportedError } from '../base/errors.ts'
import { escapeText } from '../base/escape.ts'
import { openForReading } from '../base/regular-file.ts'
import { type ByteFile, endOfCut, Lz4Writer, openLz4 } from '../lz4/index.ts'
import type { Rights } from './access.ts'
import { type BinaryHint, storeBinary } from './binaries.ts'
import { makeDirectories } from './directories.ts'
import { DumpWriter } from './dump-writer.ts'
import { exists, isFile } from './files.ts'
import { initializeStore } from './format.ts'
import { analysisFile, coreFile, coreFiles, dayOf, partFile, pendingFile, reportFile } from './layout.ts'
import type { LocalStore } from './local-store.ts'
import { binariesOf, type Manifest, manifestVersion, type StoredBinary, type StoredCore } from './manifest.ts'
import { readPin, writePin } from './pins.ts'
import type { DumpEntry, DumpRef } from './store.ts'

/** The content of a core, unpacked. */
export interface CoreContent {
  readonly size: number
  /** What is wrong with the file that it came in; more may be found while it is read. */
  readonly warnings?: readonly string[]
  read(offset: number, length: number): Uint8Array
}

/** A file on this machine that the process had mapped. */
export interface ImportedFile {
  /** As the process saw it. */
  readonly path: string
  readonly file: string
  /** Opens what the file holds, where that may be packed. */
  readonly open?: (file: string) => number
}

export type ImportFacts = Omit<
  Manifest,
  'schema' | 'version' | 'id' | 'core' | 'executable' | 'libraries' | 'held_ms'
>

/** What keeps an eye on an import. */
export interface ImportWatch {
  /** Called after each piece. */
  readonly onProgress?: (done: number, of: number) => void
  /** False once somebody else has taken the dump over: what is under way must not be published. */
  readonly isHeld?: () => boolean
}

export interface ImportOptions extends ImportWatch {
  readonly facts: ImportFacts
  readonly expectedSize: number
  readonly executable?: ImportedFile | undefined
  readonly libraries: readonly ImportedFile[]
}

/** `isNew` is false where the archive holds this dump already. */
export interface Imported {
  readonly ref: DumpRef
  readonly isNew: boolean
  /** Of a dump whose core the other archive has lost. */
  readonly lacksCore?: boolean
}

const blockSize = 1 << 20

/** Stores a core file. The same core gets the same id, so that a second import of it finds the first. */
export function importCore(store: LocalStore, content: CoreContent, options: ImportOptions): Imported {
  const { facts } = options
  const ref = { id: idOfCore(content), day: dayOf(new Date(facts.time)) }
  const known = store.find(ref.id)[0]
  if (known) return { ref: known, isNew: false }
  initializeStore(store)
  const writer = new DumpWriter(store, ref, store.rights.forDumpable(facts.dumpable))
  const storedSize = storeCore(writer, coreFile, options, () => compress(content, writer, options.onProgress))
  const why = whyIncomplete(content, options.expectedSize)
  const executable = options.executable && keep(store, options.executable)
  writer.finish({
    schema: 'gocore-manifest',
    version: manifestVersion,
    id: ref.id,
    ...facts,
    core: {
      state: why === undefined ? 'complete' : 'truncated',
      ...(why === undefined ? {} : { reason: 'imported', detail: `the file that was imported ${why}` }),
      file: coreFile,
      raw_size: content.size,
      stored_size: storedSize,
      // A damaged header may promise more than anybody can count.
      ...(Number.isSafeInteger(options.expectedSize) ? { expected_size: options.expectedSize } : {}),
    },
    ...(executable ? { executable } : {}),
    libraries: options.libraries.map(library => keep(store, library)),
    held_ms: 0,
  })
  return { ref, isNew: true }
}

/** Of content that was read as a whole. */
function whyIncomplete({ size, warnings = [] }: CoreContent, expectedSize: number): string | undefined {
  if (size < expectedSize) return 'ended early'
  return warnings.length > 0 ? `is damaged: ${escapeText(warnings.join('; '))}` : undefined
}

/** Whether the executable of a dump is in the archive. */
export function hasExecutable(store: LocalStore, ref: DumpRef): boolean {
  const { executable } = store.readManifest(ref)
  return executable?.key !== undefined && store.binaryPath(executable.key) !== undefined
}

/** Gives a dump the executable that it was imported without, and takes away the report that was made without it. */
export function importExecutable(store: LocalStore, ref: DumpRef, executable: ImportedFile): void {
  const { core } = store.readManifest(ref)
  const kept = keep(store, executable)
  // In this order: whoever is cut between leaves a dump that waits for its analysis, and for its executable.
  dropReport(store, ref, core)
  store.changeManifest(ref, manifest => ({ ...manifest, executable: kept }))
}

/** Has a dump analysed anew, of which there is more than there was. What can't be made anew, of this core, stays. */
export function dropReport(store: LocalStore, ref: DumpRef, core: StoredCore): void {
  if (core.encrypted !== undefined || core.shrunk !== undefined) return
  for (const name of [reportFile, analysisFile]) rmSync(store.layout.file(ref, name), { force: true })
}

/** Takes over a dump of another archive as it is, its executable and libraries included. The rest of a core is for `joinDump`. */
export function importDump(
  store: LocalStore,
  from: LocalStore,
  dump: DumpEntry,
  watch: ImportWatch = {},
): Imported {
  const known = store.find(dump.id)[0]
  if (known) return { ref: known, isNew: false }
  const { manifest } = dump
  if (manifest.core.continues !== undefined) throw new ArchiveError('it holds the rest of a core alone')
  initializeStore(store)
  const ref = { id: dump.id, day: dump.day }
  const writer = new DumpWriter(store, ref, store.rights.forDumpable(manifest.dumpable))
  const core = from.corePath(dump)
  const lacksCore = core === undefined && manifest.core.state !== 'none'
  const name = coreFiles.find(name => name === manifest.core.file) ?? coreFile
  let stored = lacksCore ? coreThatIsGone(manifest.core) : manifest.core
  if (core === undefined) makeDirectories(store.root, writer.directory, store.rights.directory)
  else stored = storeAsFound(writer, name, core, manifest.core, watch)
  importBinaries(store, from, manifest)
  importPin(store, from, dump)
  const rights = writer.rights.file
  for (const [name, text] of [
    [reportFile, from.readReport(dump)],
    [analysisFile, from.readAnalysis(dump)],
  ] as const)
    if (text !== undefined) writeFileAtomic(join(writer.directory, name), text, rights)
  // Users of the same numbers may be other people there.
  writer.finish({ ...manifest, core: stored, imported_from: manifest.imported_from ?? from.root })
  return { ref, isNew: true, lacksCore }
}

/** Takes over what another archive has of a dump whose handler was killed, all but what is known of it: a dump it is not yet. */
export function importBegun(
  store: LocalStore,
  from: LocalStore,
  ref: DumpRef,
  pending: Manifest,
  watch: ImportWatch,
): void {
  initializeStore(store)
  const rights = store.rights.forCrash(pending)
  const writer = new DumpWriter(store, ref, rights)
  const core = [partFile, coreFile].map(name => from.layout.file(ref, name)).find(isFile)
  if (core === undefined) makeDirectories(store.root, writer.directory, store.rights.directory)
  else storeCore(writer, coreFile, watch, () => copyInto(writer, core, watch.onProgress, undefined))
  importBinaries(store, from, pending)
  importPin(store, from, ref)
}

const coreThatIsGone = ({ state, expected_size }: StoredCore): StoredCore => ({
  ...{ state: 'none', reason: 'imported', raw_size: 0, stored_size: 0 },
  detail: `its core (${state}) was gone from the archive that it came from`,
  ...(expected_size === undefined ? {} : { expected_size }),
})

/** Before the dump is listed: from then on retention may take what is not pinned. A pin that is here already stays. */
export function importPin(store: LocalStore, from: LocalStore, { id }: DumpRef): void {
  const pin = readPin(from.layout, id)
  if (pin !== undefined && !exists(store.layout.pin(id))) writePin(store.layout, id, pin, store.rights)
}

/** Takes over the executable and the libraries of a dump. */
export function importBinaries(store: LocalStore, from: LocalStore, manifest: Manifest): void {
  const rights = store.rights.forDumpable(manifest.dumpable)
  for (const { key, path } of binariesOf(manifest)) {
    const file = key === undefined ? undefined : from.binaryPath(key)
    if (file === undefined) continue
    // The key tells of the content: a different one means that the file is not what it was, or has become a link.
    storeAs(store, file, one => openForReading(one, { links: false }), rights, { path, key })
  }
}

/** Writes a core and gives it its name; one that could not be written leaves nothing in the way of the next try. */
function storeCore(writer: DumpWriter, name: string, { isHeld }: ImportWatch, write: () => void): number {
  const { store, directory } = writer
  makeDirectories(store.root, directory, store.rights.directory)
  if (lstatSync(join(directory, pendingFile), { throwIfNoEntry: false }) !== undefined)
    throw new ArchiveError('a handler has begun it in the archive, and the daemon has yet to see to that')
  rmSync(join(directory, partFile), { force: true })
  try {
    write()
    if (isHeld?.() === false) throw new ArchiveError('somebody else has taken it over')
    return writer.finishCore(name)
  } catch (error) {
    writer.dropCore()
    throw error
  }
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** The id that a core file gets. Of the beginning and the length: there lie the registers of all threads and the addresses of all mappings. */
export function idOfCore(content: CoreContent): string {
  const hash = createHash('sha256').update(`gocore-import ${content.size}\n`)
  const digest = hash.update(content.read(0, Math.min(content.size, blockSize))).digest()
  return [...digest.subarray(0, 12)].map(byte => alphabet[byte & 31]).join('')
}

function compress(content: CoreContent, writer: DumpWriter, onProgress: ImportOptions['onProgress']): void {
  const lz4 = new Lz4Writer(writer, blockSize)
  let at = 0
  for (; content.size - at > blockSize; at += blockSize) {
    lz4.add(Buffer.from(exactly(content, at, blockSize)))
    onProgress?.(at, content.size)
  }
  lz4.finish(Buffer.from(exactly(content, at, content.size - at)))
}

function exactly(content: CoreContent, offset: number, length: number): Uint8Array {
  const bytes = content.read(offset, length)
  if (bytes.length < length)
    throw new ArchiveError(`The core ends at byte ${offset + bytes.length} of ${content.size}`)
  return bytes
}

/** A file of this machine's that a core names: what not everybody may read is no more for the group here. */
function keep(store: LocalStore, { path, file, open = openLinked }: ImportedFile): StoredBinary {
  const isForAll = (statSync(file).mode & 0o004) !== 0
  const rights = isForAll ? store.rights : store.rights.forDumpable(undefined)
  return storeAs(store, file, open, rights, { path })
}

const openLinked = (file: string): number => openForReading(file, { links: true })

function storeAs(
  store: LocalStore,
  file: string,
  open: (file: string) => number,
  rights: Rights,
  hint: BinaryHint & { path: string },
): StoredBinary {
  const fd = open(file)
  try {
    const { key, buildId, size } = storeBinary(store.layout, fd, rights, hint)
    return { key, path: hint.path, ...(buildId === undefined ? {} : { build_id: buildId }), size }
  } catch (error) {
    throw new ArchiveError(`Could not store ${file}: ${reasonOf(error)}`, { cause: error })
  } finally {
    closeSync(fd)
  }
}

/** Copies the core at `path`, and answers what can be said of it: `core` is another archive's word, its file may be less. */
function storeAsFound(
  writer: DumpWriter,
  name: string,
  path: string,
  core: StoredCore,
  watch: ImportWatch,
): StoredCore {
  let found = core
  const hash = createHash('sha256')
  const stored_size = storeCore(writer, name, watch, () => {
    copyInto(writer, path, watch.onProgress, core.encrypted && hash)
    // Nobody could read a part of it.
    if (core.encrypted !== undefined && hash.digest('hex') !== core.encrypted.sha256)
      throw new ArchiveError(`${path} is not the file that its manifest tells of, and it is encrypted`)
    if (core.stored_size !== 0 && writer.size !== core.stored_size) found = endAsFound(writer, core)
  })
  return { ...found, stored_size }
}

/** Of a file that is longer or shorter than it was: all that can be read of it, with an end behind that. */
function endAsFound(writer: DumpWriter, core: StoredCore): StoredCore {
  const detail = `the file that was imported has ${writer.size} bytes where its manifest says ${core.stored_size}`
  const read = (at: number, length: number): Buffer => {
    const bytes = Buffer.alloc(length)
    return bytes.subarray(0, readSync(writer.fd, bytes, 0, length, at))
  }
  const file = (): ByteFile => ({ name: writer.directory, size: writer.size, read })
  const end = endOfCut(file())
  if (end !== undefined) {
    writer.truncate(end.at)
    writer.write(end.bytes)
  }
  const raw_size = contentSize(file())
  if (raw_size === core.raw_size) return core
  return {
    ...{ ...core, state: 'truncated', reason: core.reason ?? 'imported', raw_size },
    detail: core.detail === undefined ? detail : `${core.detail}; ${detail}`,
  }
}

function contentSize(file: ByteFile): number {
  try {
    return openLz4(file).size
  } catch (error) {
    if (!(error instanceof FormatError || error instanceof UnsupportedError)) throw error
    return 0
  }
}

function copyInto(
  writer: DumpWriter,
  path: string,
  onProgress: ImportWatch['onProgress'],
  hash: Hash | undefined,
): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const { size } = fstatSync(fd)
    const bytes = Buffer.allocUnsafe(blockSize)
    for (let at = 0; at < size; ) {
      const got = readSync(fd, bytes, 0, Math.min(blockSize, size - at), at)
      if (got === 0) throw new ArchiveError(`${path} became shorter while it was read`)
      hash?.update(bytes.subarray(0, got))
      writer.write(bytes.subarray(0, got))
      at += got
      onProgress?.(at, size)
    }
  } finally {
    closeSync(fd)
  }
}
