/**
 * A section in blocks that are packed one by one, kept for another time: what a linker compressed as a whole can only be
 * read from its start, and one variable's entry is somewhere in the middle of a hundred megabytes.
 */
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

/** Bytes of a block. An entry is found whole in two of them. */
export const blockSize = 1 << 17
const magic = 0x50445347
const version = 1
const headerWords = 6
const maxSection = 2 ** 31

/** `GSDP`, version, a checksum of the fingerprint, size, number of blocks, checksum of the table; the table; the blocks. */
export function packSection(bytes: Uint8Array, fingerprint: string): Uint8Array {
  const count = Math.ceil(bytes.length / blockSize)
  const blocks: Uint8Array[] = []
  const words = new Uint32Array(headerWords + 2 * count)
  for (let n = 0; n < count; n++) {
    const block = bytes.subarray(n * blockSize, (n + 1) * blockSize)
    const packed = zstdCompressSync(block, {
      chunkSize: blockSize,
      params: { [constants.ZSTD_c_compressionLevel]: 1 },
    })
    words.set([packed.length, crc32(packed)], headerWords + 2 * n)
    blocks.push(packed)
  }
  words.set([magic, version, crc32(fingerprint), bytes.length, count])
  words[5] = crc32(bytesOf(words.subarray(headerWords)))
  return Buffer.concat([bytesOf(words), ...blocks])
}

export interface PackedSection {
  readonly size: number
  /** The contents of a block; zeros where it is damaged, as a section that was filled with them. */
  block(n: number): Uint8Array
}

/** Undefined where the bytes are of another version, of another section, or damaged. */
export function openPacked(packed: Uint8Array, fingerprint: string): PackedSection | undefined {
  if (packed.length < headerWords * 4) return undefined
  const head = wordsOf(packed, 0, headerWords)
  const [kind, is, of, size, count, sum] = head as unknown as [number, number, number, number, number, number]
  if (kind !== magic || is !== version || of !== crc32(fingerprint) || size > maxSection) return undefined
  if (count !== Math.ceil(size / blockSize) || packed.length < (headerWords + 2 * count) * 4) return undefined
  const table = wordsOf(packed, headerWords * 4, 2 * count)
  if (crc32(bytesOf(table)) !== sum) return undefined
  const starts = new Float64Array(count + 1)
  starts[0] = (headerWords + 2 * count) * 4
  for (let n = 0; n < count; n++) starts[n + 1] = starts[n]! + table[2 * n]!
  if (starts[count] !== packed.length) return undefined
  return {
    size,
    block(n) {
      const bytes = packed.subarray(starts[n], starts[n + 1])
      if (crc32(bytes) !== table[2 * n + 1]) return new Uint8Array(0)
      return zstdDecompressSync(bytes, { maxOutputLength: blockSize })
    },
  }
}

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength)
}

function wordsOf(bytes: Uint8Array, at: number, count: number): Uint32Array {
  return new Uint32Array(new Uint8Array(bytes.subarray(at, at + count * 4)).buffer)
}
