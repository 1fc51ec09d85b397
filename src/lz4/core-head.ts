/**
 * A second copy of a core's head, for the day on which the first block rots: ELF header, program headers and notes, without
 * which nobody could tell what lies in all the others. It is a skippable frame between the end mark and the block index, so
 * that every LZ4 program passes over it. `gocore-archive(5)` documents the bytes; all numbers are little-endian.
 *
 *     u32 magic 0x184d2a5a   u32 length of what follows
 *     u16 version   u16 length of this header, 20   u32 content length
 *     u32 XXH32 of version to content length, and the blocks
 *     blocks as those of the frame: u32 word, data, u32 XXH32; of 1 MiB of content each, but for the last
 */
import { FormatError } from '../base/errors.ts'
import { blockBound, emptyBlock, readBlock, writeBlock } from './block.ts'
import { indexFrameMagic } from './block-index.ts'
import { type BlockTable, type ByteFile, endOfBlock } from './block-table.ts'
import { storedBit } from './frame.ts'
import { xxh32 } from './native.ts'

export const headFrameMagic = 0x184d2a5a
export const headVersion = 1
export const headHeaderSize = 20
/** Bytes of a head that are copied: the headers of 65 530 mappings, and the notes of hundreds of threads at 12 KB each. */
export const mostHead = 8 << 20
const pieceSize = 1 << 20

const PT_LOAD = 1
const PT_NOTE = 4
const ET_CORE = 4
/** e_phnum of a file with more headers than 16 bits count. */
const PN_XNUM = 0xffff

/** Collects the head out of a core's content as it passes by. */
export class CoreHead {
  #bytes = Buffer.alloc(0)
  #end: number | undefined
  #open = true

  /** The head so far; empty where the content is no ELF core. */
  get bytes(): Buffer {
    return this.#bytes
  }

  /** More of the content belongs to it. */
  get isOpen(): boolean {
    return this.#open
  }

  /** Takes the content's bytes in order, which stay the caller's. */
  feed(bytes: Uint8Array): void {
    if (!this.#open || bytes.length === 0) return
    const all =
      this.#bytes.length === 0
        ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        : Buffer.concat([this.#bytes, bytes])
    this.#end ??= headEnd(all)
    const wanted = Math.min(this.#end ?? mostHead, mostHead)
    this.#bytes = Buffer.from(all.subarray(0, wanted))
    this.#open = this.#bytes.length < wanted
  }

  /** Nothing more comes in order. */
  close(): void {
    this.#open = false
  }
}

/** Where the content of the first segment begins, or the notes end; 0 for what is no core, undefined where more must be known. */
function headEnd(head: Buffer): number | undefined {
  const wide = head[4] === 2
  const little = head[5] === 1
  if (head.length < 64) return head.length < 4 || head.readUInt32BE(0) === 0x7f454c46 ? undefined : 0
  if (head.readUInt32BE(0) !== 0x7f454c46 || (!wide && head[4] !== 1) || (!little && head[5] !== 2)) return 0
  const u16 = (at: number): number => (little ? head.readUInt16LE(at) : head.readUInt16BE(at))
  const u32 = (at: number): number => (little ? head.readUInt32LE(at) : head.readUInt32BE(at))
  const word = (at: number): number =>
    wide ? Number(little ? head.readBigUInt64LE(at) : head.readBigUInt64BE(at)) : u32(at)
  const phoff = word(wide ? 32 : 28)
  const size = wide ? 56 : 32
  let count = u16(wide ? 56 : 44)
  if (u16(16) !== ET_CORE || u16(wide ? 54 : 42) !== size || count === 0 || phoff > mostHead) return 0
  let counted = count !== PN_XNUM
  let load = Number.POSITIVE_INFINITY
  let notes = 0
  if (!counted) count = Math.floor(mostHead / size)
  for (let i = 0; i < count; i++) {
    const at = phoff + i * size
    if (at > mostHead) return mostHead
    if (at + size > head.length) return undefined
    const offset = word(at + (wide ? 8 : 4))
    const filesz = word(at + (wide ? 32 : 16))
    if (u32(at) === PT_LOAD && filesz > 0) load = Math.min(load, offset)
    if (u32(at) !== PT_NOTE) continue
    notes = Math.max(notes, offset + filesz)
    // The kernel writes the notes behind the last header, which tells the number that e_phnum can't.
    if (!counted && offset > phoff) count = Math.min(count, Math.floor((offset - phoff) / size))
    counted = true
  }
  const end = Math.max(phoff + count * size, Number.isFinite(load) ? load : notes)
  return Math.min(end, mostHead)
}

/** The whole skippable frame. */
export function formatHeadFrame(head: Buffer): Buffer {
  const scratch = Buffer.alloc(blockBound(Math.min(pieceSize, head.length)))
  const blocks: Buffer[] = []
  for (let at = 0; at < head.length; at += pieceSize) {
    const piece = head.subarray(at, at + pieceSize)
    blocks.push(Buffer.from(scratch.subarray(0, writeBlock(piece, scratch))))
  }
  const frame = Buffer.concat([Buffer.alloc(headHeaderSize), ...blocks])
  frame.writeUInt32LE(headFrameMagic, 0)
  frame.writeUInt32LE(frame.length - 8, 4)
  frame.writeUInt16LE(headVersion, 8)
  frame.writeUInt16LE(headHeaderSize, 10)
  frame.writeUInt32LE(head.length, 12)
  frame.writeUInt32LE(checksumOf(frame), 16)
  return frame
}

const checksumOf = (frame: Buffer): number =>
  xxh32(Buffer.concat([frame.subarray(8, 16), frame.subarray(headHeaderSize)]))

/**
 * The copy that follows the blocks of `table`; undefined where the file has none. Throws FormatError where it is damaged:
 * `indexed` says that whoever wrote the file wrote nothing else between its blocks and its index.
 */
export function readHeadFrame(file: ByteFile, table: BlockTable, indexed: boolean): Buffer | undefined {
  const last = table.count - 1
  if (last < 0) return undefined
  const behind = endOfBlock(table, last)
  const isEmpty = Buffer.from(file.read(behind, emptyBlock.length)).equals(emptyBlock)
  const at = behind + (isEmpty ? emptyBlock.length : 0) + 4
  const fail = (problem: string): never => {
    throw new FormatError({ file: file.name, section: 'copy of the head', offset: at }, problem)
  }
  const header = Buffer.from(file.read(at, headHeaderSize))
  if (header.length < headHeaderSize) return undefined
  const magic = header.readUInt32LE(0)
  if (magic !== headFrameMagic)
    return indexed && magic !== indexFrameMagic
      ? fail(`its magic number is 0x${magic.toString(16)}`)
      : undefined
  const length = header.readUInt32LE(4)
  const size = header.readUInt32LE(12)
  if (length < headHeaderSize - 8 || length > 2 * mostHead || size > mostHead)
    return fail('it is out of bounds')
  const frame = Buffer.from(file.read(at, 8 + length))
  if (frame.length < 8 + length || checksumOf(frame) !== header.readUInt32LE(16))
    return fail('its checksum is wrong')
  if (header.readUInt16LE(8) !== headVersion) return undefined
  return (
    decodeBlocks(frame.subarray(header.readUInt16LE(10)), size) ??
    fail('its blocks do not hold what it promises')
  )
}

function decodeBlocks(blocks: Buffer, size: number): Buffer | undefined {
  const head = Buffer.alloc(size)
  let done = 0
  for (let at = 0; at + 8 <= blocks.length; ) {
    const word = blocks.readUInt32LE(at)
    const end = at + 4 + ((word & ~storedBit) >>> 0)
    if (end + 4 > blocks.length || done >= size) return undefined
    const output = head.subarray(done, Math.min(size, done + pieceSize))
    const got = readBlock(word, blocks.subarray(at + 4, end), output)
    if (got <= 0) return undefined
    done += got
    at = end + 4
  }
  return done === size ? head : undefined
}
