/**
 * One block of a frame: its word, its bytes, its checksum. Most of a Go program's core is pages that were never
 * touched, so the block of zeros is compressed once and known by comparison.
 */
import { storedBit } from './frame.ts'
import { compressBound, decodeBlock, encodeBlock, xxh32 } from './native.ts'

/** Bytes around a block's data: the word before it and the checksum behind it. */
export const blockOverhead = 8

/**
 * The content's last bytes, up to this many, are a block of their own that is stored uncompressed: `lz4` 1.9.4 takes
 * four bytes too many behind a frame that has block checksums, no content checksum and a compressed last block, and
 * then stumbles over the index. (Its size hint after a compressed block counts a checksum that an end mark has not.)
 */
export const tailSize = 16

/**
 * A block of no bytes, stored: behind it `lz4` 1.9.4 goes on where it should, whatever the block before it is. Files that were cut
 * have one, where the last bytes can't be made a block of their own any more.
 */
export const emptyBlock = Buffer.alloc(blockOverhead)
emptyBlock.writeUInt32LE(storedBit, 0)
emptyBlock.writeUInt32LE(xxh32(Buffer.alloc(0)), 4)

/** The most bytes that a block of `length` takes in the file: compressed ones are never longer than stored ones. */
export const blockBound = (length: number): number => blockOverhead + compressBound(length)

/**
 * Writes `raw` as one block with checksum into `output` (at least `blockBound` bytes); answers the length.
 * Bytes that compression does not shorten are stored as they are, and so is all with `store`.
 */
export function writeBlock(raw: Uint8Array, output: Uint8Array, store = false): number {
  const data = output.subarray(4, output.length - 4)
  let length = store ? 0 : encodeBlock(raw, data)
  let word = length
  if (length <= 0 || length >= raw.length) {
    data.set(raw)
    length = raw.length
    word = (length | storedBit) >>> 0
  }
  writeU32(output, 0, word)
  writeU32(output, 4 + length, xxh32(data.subarray(0, length)))
  return length + blockOverhead
}

/** Decompresses the data of one block into `output`; answers the number of bytes, negative where it is damaged. */
export function readBlock(word: number, data: Uint8Array, output: Uint8Array): number {
  if ((word & storedBit) === 0) return decodeBlock(data, output)
  if (data.length > output.length) return -1
  output.set(data)
  return data.length
}

/** A whole block of zeros, in both forms. */
export class ZeroBlock {
  readonly raw: Buffer
  /** Word, data and checksum. */
  readonly encoded: Buffer

  constructor(size: number) {
    this.raw = Buffer.alloc(size)
    const output = Buffer.alloc(blockBound(size))
    this.encoded = Buffer.from(output.subarray(0, writeBlock(this.raw, output)))
  }

  isZero(raw: Buffer): boolean {
    // One word first: busy memory is told apart without a call.
    return raw.length === this.raw.length && raw[raw.length >>> 1] === 0 && raw.equals(this.raw)
  }
}

function writeU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value
  bytes[at + 1] = value >>> 8
  bytes[at + 2] = value >>> 16
  bytes[at + 3] = value >>> 24
}
