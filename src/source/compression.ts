/** How a file is packed, told by its first bytes and never by its name. */

export type Compression = 'none' | 'lz4' | 'zstd' | 'gzip' | 'xz' | 'age'

const magics: readonly (readonly [Compression, string])[] = [
  ['lz4', '04224d18'],
  ['lz4', '02214c18'],
  ['zstd', '28b52ffd'],
  ['gzip', '1f8b08'],
  ['xz', 'fd377a585a00'],
  ['age', Buffer.from('age-encr').toString('hex')],
]

const startsWith = (bytes: Uint8Array, magic: string): boolean =>
  Buffer.from(bytes.subarray(0, magic.length / 2)).toString('hex') === magic

/**
 * LZ4 and Zstandard share the magic numbers of skippable frames, so `read` looks for the first frame behind them.
 */
export function detectCompression(read: (offset: number, length: number) => Uint8Array): Compression {
  let at = 0
  for (let skipped = 0; skipped < 16; skipped++) {
    const head = Buffer.from(read(at, 8))
    const known = magics.find(([, magic]) => startsWith(head, magic))
    if (known !== undefined) return known[0]
    if (head.length < 8 || (head.readUInt32LE(0) & 0xfffffff0) >>> 0 !== 0x184d2a50) break
    at += 8 + head.readUInt32LE(4)
  }
  return 'none'
}
