/**
 * A section in blocks that are packed one by one, kept for another time: what a linker compressed as a whole can only be
 * read from its start, and one variable's entry is somewhere in the middle of a hundred megabytes.
 */
import { constants, crc32, zstdCompressSync, zstdDecompressSync } from 'node:zlib'

/** Bytes of a block. An entry is found whole in two of them. */
export const blockSize = 1 << 17
const magic = 0x50445347
const version = 2
const footerWords = 6
const maxSection = 2 ** 31

/**
 * The blocks, a table of their lengths and checksums, and `GSDP`, version, a checksum of the fingerprint, size, number of
 * blocks, checksum of the table. In pieces that are made as they are taken: a section and all its blocks at a time are
 * what one who looks at a large program runs out of memory by.
 */
export function packSection(bytes: Uint8Array, fingerprint: string): Iterable<Uint8Array> {
  return { [Symbol.iterator]: () => packed(bytes, fingerprint) }
}

function* packed(bytes: Uint8Array, fingerprint: string): Generator<Uint8Array> {
  const count = Math.ceil(bytes.length / blockSize)
  const table = new Uint32Array(2 * count)
  for (let n = 0; n < count; n++) {
    const block = zstdCompressSync(bytes.subarray(n * blockSize, (n + 1) * blockSize), {
      chunkSize: blockSize,
      params: { [constants.ZSTD_c_compressionLevel]: 1 },
    })
    table.set([block.length, crc32(block)], 2 * n)
    yield block
  }
  yield bytesOf(table)
  yield bytesOf(
    Uint32Array.of(magic, version, crc32(fingerprint), bytes.length, count, crc32(bytesOf(table))),
  )
}

export interface PackedSection {
  readonly size: number
  /** The contents of a block; zeros where it is damaged, as a section that was filled with them. */
  block(n: number): Uint8Array
}

/** Undefined where the bytes are of another version, of another section, or damaged. */
export function openPacked(packed: Uint8Array, fingerprint: string): PackedSection | undefined {
  const footer = packed.length - footerWords * 4
  if (footer < 0) return undefined
  const last = wordsOf(packed, footer, footerWords)
  const [kind, is, of, size, count, sum] = last as unknown as [number, number, number, number, number, number]
  if (kind !== magic || is !== version || of !== crc32(fingerprint) || size > maxSection) return undefined
  if (count !== Math.ceil(size / blockSize) || count * 8 > footer) return undefined
  const table = wordsOf(packed, footer - count * 8, 2 * count)
  if (crc32(bytesOf(table)) !== sum) return undefined
  const starts = new Float64Array(count + 1)
  for (let n = 0; n < count; n++) starts[n + 1] = starts[n]! + table[2 * n]!
  if (starts[count] !== footer - count * 8) return undefined
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
