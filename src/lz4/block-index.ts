/**
 * The block index at the end of our files: a skippable frame, so that every LZ4 program passes over it.
 * `gocore-archive(5)` documents the bytes; all numbers are little-endian.
 *
 *     u32 magic 0x184d2a5b   u32 length of what follows
 *     entries, 16 bytes each, in the order of the content:
 *       u64 offset of the block's word in the file   u32 the word   u32 content length of the block
 *     trailer, 40 bytes:
 *       u64 content length in all   u64 file offset of this frame   u32 number of entries   u32 block size
 *       u32 flags   u16 version   u16 length of the trailer   u32 XXH32 of entries and the trailer's bytes so far
 *       u32 magic 0x58494347 ("GCIX")
 */
import { FormatError } from '../base/errors.ts'
import { type BlockTable, type ByteFile, emptyTable } from './block-table.ts'
import { storedBit } from './frame.ts'
import { xxh32 } from './native.ts'

export const indexFrameMagic = 0x184d2a5b
export const indexMagic = 0x58494347
export const indexVersion = 1
export const entrySize = 16
export const trailerSize = 40
/** Flag: each block's data is followed by its XXH32. */
export const flagBlockChecksum = 1

/** Collects blocks while a file is written. */
export class IndexWriter {
  readonly #blockSize: number
  #entries = Buffer.alloc(entrySize * 256)
  #count = 0
  #contentSize = 0

  constructor(blockSize: number) {
    this.#blockSize = blockSize
  }

  get count(): number {
    return this.#count
  }

  get contentSize(): number {
    return this.#contentSize
  }

  add(offset: number, word: number, length: number): void {
    const at = this.#count * entrySize
    if (at === this.#entries.length) this.#entries = Buffer.concat([this.#entries, Buffer.alloc(at)])
    this.#entries.writeBigUInt64LE(BigInt(offset), at)
    this.#entries.writeUInt32LE(word >>> 0, at + 8)
    this.#entries.writeUInt32LE(length, at + 12)
    this.#count++
    this.#contentSize += length
  }

  /** Forgets the blocks that end behind `offset` of the file, of which the last ends at `end`; answers where those that stay end. */
  rewind(offset: number, end: number): number {
    let last = end
    for (; this.#count > 0 && last > offset; this.#count--) {
      const at = (this.#count - 1) * entrySize
      last = Number(this.#entries.readBigUInt64LE(at))
      this.#contentSize -= this.#entries.readUInt32LE(at + 12)
    }
    return last
  }

  /** The whole skippable frame, to be written at `fileOffset`. */
  finish(fileOffset: number): Buffer {
    const entries = this.#entries.subarray(0, this.#count * entrySize)
    const frame = Buffer.alloc(8 + entries.length + trailerSize)
    frame.writeUInt32LE(indexFrameMagic, 0)
    frame.writeUInt32LE(frame.length - 8, 4)
    entries.copy(frame, 8)
    const at = 8 + entries.length
    frame.writeBigUInt64LE(BigInt(this.#contentSize), at)
    frame.writeBigUInt64LE(BigInt(fileOffset), at + 8)
    frame.writeUInt32LE(this.#count, at + 16)
    frame.writeUInt32LE(this.#blockSize, at + 20)
    frame.writeUInt32LE(flagBlockChecksum, at + 24)
    frame.writeUInt16LE(indexVersion, at + 28)
    frame.writeUInt16LE(trailerSize, at + 30)
    frame.writeUInt32LE(xxh32(frame.subarray(8, at + 32)), at + 32)
    frame.writeUInt32LE(indexMagic, at + 36)
    return frame
  }
}

/** Whether the file ends in an index that holds what it promises. */
export function hasIndex(file: ByteFile): boolean {
  try {
    return readIndex(file) !== undefined
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return false
  }
}

/**
 * The index at the end of a file, or undefined where there is none. An index that is there and does not hold
 * what it promises is a FormatError: the caller may scan the blocks instead.
 */
export function readIndex(file: ByteFile): BlockTable | undefined {
  if (file.size < trailerSize + 8) return undefined
  const at = file.size - trailerSize
  const trailer = Buffer.from(file.read(at, trailerSize))
  if (trailer.length < trailerSize || trailer.readUInt32LE(36) !== indexMagic) return undefined
  const fail = (problem: string): never => {
    throw new FormatError({ file: file.name, section: 'LZ4 block index', offset: at }, problem)
  }
  const version = trailer.readUInt16LE(28)
  if (version !== indexVersion) return fail(`version ${version} is not one that this program reads`)
  const contentSize = Number(trailer.readBigUInt64LE(0))
  const frameOffset = Number(trailer.readBigUInt64LE(8))
  const count = trailer.readUInt32LE(16)
  const blockMax = trailer.readUInt32LE(20)
  if (frameOffset + 8 + count * entrySize !== at) return fail(`${count} entries don't fit the file`)
  if (blockMax < 1 || blockMax > 4194304) return fail(`block size ${blockMax} is out of bounds`)
  const body = Buffer.concat([file.read(frameOffset + 8, count * entrySize), trailer.subarray(0, 32)])
  if (body.length !== count * entrySize + 32 || xxh32(body) !== trailer.readUInt32LE(32))
    return fail('the checksum is wrong')
  const table = emptyTable(count, blockMax)
  table.checksums.fill((trailer.readUInt32LE(24) & flagBlockChecksum) !== 0 ? 1 : 0)
  let start = 0
  let end = 0
  for (let i = 0; i < count; i++) {
    const offset = Number(body.readBigUInt64LE(i * entrySize))
    const word = body.readUInt32LE(i * entrySize + 8)
    const length = body.readUInt32LE(i * entrySize + 12)
    if (offset < end || length > blockMax || length === 0) return fail(`entry ${i} is out of bounds`)
    end = offset + 4 + (word & ~storedBit)
    if (end > frameOffset) return fail(`entry ${i} points beyond the blocks`)
    table.offsets[i] = offset
    table.words[i] = word
    table.starts[i] = start
    start += length
  }
  table.starts[count] = start
  if (start !== contentSize) return fail(`the entries hold ${start} bytes, the trailer says ${contentSize}`)
  return table
}
