/**
 * What a core is that its handler could not finish in one place: put together of the part that stalled or failing storage
 * had acknowledged, and the rest; or as far as it got before the handler was killed, or the power failed. Each block is
 * decoded, which compares its checksum; a block that storage did not keep after all costs that block.
 */
import { closeSync, constants, fsyncSync, ftruncateSync, openSync, statSync } from 'node:fs'
import { coreFile } from '../archive/layout.ts'
import type { StoredCore } from '../archive/manifest.ts'
import { partOf } from '../archive/part-note.ts'
import { writeAll } from '../base/atomic-file.ts'
import { FormatError, reasonOf, UnsupportedError } from '../base/errors.ts'
import { runThrough, type Steps } from '../base/steps.ts'
import type { ByteSource } from '../engine/bytes/byte-source.ts'
import { openElf } from '../engine/index.ts'
import { readIndex } from '../lz4/block-index.ts'
import { formatFrameHeader, frameMagic } from '../lz4/frame.ts'
import { type CutEnd, endOfCut } from '../lz4/index.ts'
import { FileSource, openRegular } from '../source/file-source.ts'
import { openCoreFile } from '../source/index.ts'

/** The manifest's account of the file at `path`, `core` being the spool's of it; pauses after each piece of the content. */
export function* joinedSteps(core: StoredCore, path: string): Steps<StoredCore> {
  mendHeader(path)
  mendEnd(path)
  const { continues: _, ...rest } = core
  const joined: StoredCore = { ...rest, file: coreFile, stored_size: statSync(path).size }
  // Its handler gave it up, and some of it is there.
  if (core.state === 'none') joined.state = 'truncated'
  try {
    using source = openCoreFile(path, { links: false })
    joined.raw_size = source.size
    const size = Math.max(core.raw_size, source.size)
    const damaged = yield* lostSteps(source)
    if (damaged > 0) joined.lost_size = damaged
    const lost = damaged + size - source.size
    const told = measured(joined, source)
    return lost === 0 ? told : cut(told, `${lost} of ${size} bytes that storage had taken are lost`)
  } catch (error) {
    // A read that fails may not fail the next time; what the file holds will be the same.
    if (!(error instanceof FormatError || error instanceof UnsupportedError)) throw error
    return cut({ ...joined, raw_size: 0 }, `what storage kept can't be read: ${reasonOf(error)}`)
  }
}

/** The handler did not live to know what it had, or storage did not tell it. */
const unseen: ReadonlySet<string | undefined> = new Set(['handler-error', 'storage-error', 'storage-stalled'])

/**
 * What the core's own headers say of it, where its handler could not: how long it was to be, and whether all of it is there,
 * the handler having been killed behind its last byte, or the spool having failed to make it last.
 */
function measured(core: StoredCore, source: ByteSource): StoredCore {
  const promised = promisedBy(source)
  if (promised === undefined) return core
  const told: StoredCore = { ...core, expected_size: core.expected_size ?? promised }
  if (!unseen.has(core.reason) || core.lost_size !== undefined || source.size !== promised) return told
  const { reason: _, detail: __, ...whole } = told
  return { ...whole, state: 'complete' }
}

/** Bytes of the whole core; undefined where its headers and notes did not all arrive. Of a part, what it is a part of. */
function promisedBy(source: ByteSource): number | undefined {
  try {
    const elf = openElf(source)
    const loads = elf.segments.filter(({ type, filesz }) => type === PT_LOAD && filesz > 0)
    const head = Math.min(...loads.map(({ offset }) => offset))
    // Of as many headers as that the kernel writes the number last.
    if (elf.header.type !== ET_CORE || source.size < head || elf.segments.length >= PN_XNUM) return undefined
    const end = elf.segments.reduce((most, { offset, filesz }) => Math.max(most, offset + filesz), 0)
    const promised = partOf(elf.notes) ?? end
    return Number.isSafeInteger(promised) ? promised : undefined
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return undefined
  }
}

/** gABI chapters 4 and 5. */
const ET_CORE = 4
const PT_LOAD = 1
const PN_XNUM = 0xffff

const pieceSize = 65536

/** Bytes of the content in pieces that can't be read: those of blocks that are not what they were. */
export const lostBytes = (source: ByteSource): number => runThrough(lostSteps(source))

function* lostSteps(source: ByteSource): Steps<number> {
  let lost = 0
  for (let at = 0; at < source.size; at += pieceSize) {
    const length = Math.min(pieceSize, source.size - at)
    try {
      source.read(at, length)
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      lost += length
    }
    yield
  }
  return lost
}

function cut(core: StoredCore, detail: string): StoredCore {
  const more = core.detail === undefined ? detail : `${core.detail}; ${detail}`
  return { ...core, state: 'truncated', reason: core.reason ?? 'storage-error', detail: more }
}

/** False of a file that holds the rest of a core, or whose first bytes storage did not keep. */
export function beginsCore(path: string): boolean {
  const { fd, size } = openRegular(path, { links: false })
  using file = new FileSource(path, fd, size)
  return size >= 4 && Buffer.from(file.read(0, 4)).readUInt32LE() === frameMagic
}

/** The handler's, of which there is an index only at the end of a whole file. */
const blockSize = 1 << 20

/**
 * Where the beginning of the file is lost, what follows would be taken for a core that is not compressed. Its header is
 * known: the block size stands in the index, where there is one.
 */
function mendHeader(path: string): void {
  const { fd, size } = openRegular(path, { links: false })
  let header: Uint8Array
  {
    using file = new FileSource(path, fd, size)
    if (size < 7) return
    header = formatFrameHeader(blockSizeOf(path, file) ?? blockSize)
    const found = Buffer.from(file.read(0, 7))
    const isLz4 = found.subarray(0, 4).equals(header.subarray(0, 4))
    if (found.equals(header) || (isLz4 && blockSizeOf(path, file) === undefined)) return
  }
  mend(path, target => writeAll(target, header, 0))
}

/** A file that was cut gets an end, with a second copy of the core's head, and its index. */
function mendEnd(path: string): void {
  const { fd, size } = openRegular(path, { links: false })
  let end: CutEnd | undefined
  {
    using file = new FileSource(path, fd, size)
    const read = (at: number, length: number): Buffer => Buffer.from(file.read(at, length))
    end = endOfCut({ name: path, size, read })
  }
  if (end === undefined) return
  const { at, bytes } = end
  mend(path, target => {
    ftruncateSync(target, at)
    writeAll(target, bytes, at)
  })
}

function mend(path: string, work: (fd: number) => void): void {
  const target = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW)
  try {
    work(target)
    fsyncSync(target)
  } finally {
    closeSync(target)
  }
}

function blockSizeOf(name: string, file: ByteSource): number | undefined {
  const read = (at: number, length: number): Buffer => Buffer.from(file.read(at, length))
  try {
    return readIndex({ name, size: file.size, read })?.blockMax
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return undefined
  }
}
