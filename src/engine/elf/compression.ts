/**
 * Compressed debug sections: SHF_COMPRESSED (gABI; the Go linker's way) and `.zdebug_*` (`ZLIB` and a big-endian size,
 * GNU's older way, Go before 1.19).
 */
import { inflateSync, zstdDecompressSync } from 'node:zlib'
import { FormatError } from '../../base/errors.ts'
import { viewOf } from '../bytes/layout.ts'
import { Compression } from './constants.ts'
import type { ElfFile } from './file.ts'
import { Chdr32, Chdr64 } from './records.ts'

/** Larger debug sections than any known program has; a forged size must not exhaust memory. */
const maxInflated = 1 << 30

/** No deflate stream is packed tighter (zlib's technical details). */
const maxDeflateRatio = 1032

export function decompressSection(file: ElfFile, name: string, stored: Uint8Array): Uint8Array {
  const fail = (problem: string, cause?: unknown): FormatError =>
    new FormatError({ file: file.source.name, section: name, offset: 0 }, problem, { cause })
  const { body, size, type } = readHeader(file, name, stored)
  if (size > maxInflated) throw fail(`claims ${size} bytes uncompressed`)
  if (type !== Compression.zlib && type !== Compression.zstd) throw fail(`unknown compression ${type}`)
  try {
    const unpack = type === Compression.zlib ? inflateSync : zstdDecompressSync
    // One piece as large as the whole: thousands of small ones would have to be joined. Forged sizes get no such piece.
    const chunkSize = Math.max(64, Math.min(size, body.length * maxDeflateRatio))
    return unpack(body, { maxOutputLength: Math.max(size, 1), chunkSize })
  } catch (cause) {
    throw fail('cannot be decompressed', cause)
  }
}

function readHeader(
  file: ElfFile,
  name: string,
  stored: Uint8Array,
): { body: Uint8Array; size: number; type: number } {
  const view = viewOf(stored)
  const short = new FormatError(
    { file: file.source.name, section: name, offset: 0 },
    'too short for its header',
  )
  if (name.startsWith('.zdebug_')) {
    if (stored.length < 12) throw short
    return { body: stored.subarray(12), size: Number(view.getBigUint64(4, false)), type: Compression.zlib }
  }
  const Chdr = file.header.is64 ? Chdr64 : Chdr32
  if (stored.length < Chdr.size) throw short
  const header = Chdr.read(view, 0, file.header.littleEndian)
  return { body: stored.subarray(Chdr.size), size: header.size, type: header.type }
}
