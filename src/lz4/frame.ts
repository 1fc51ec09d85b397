/**
 * The LZ4 frame format, version 1.6.x (lz4_Frame_format.md in the lz4 sources): headers of frames and blocks.
 * A file is a sequence of frames and skippable frames. A block is a 32-bit word (length, high bit: stored as it is),
 * the bytes, and in frames with block checksums the XXH32 of those bytes. A word of 0 ends the frame.
 */
import { FormatError } from '../base/errors.ts'
import { xxh32 } from './native.ts'

export const frameMagic = 0x184d2204
export const legacyMagic = 0x184c2102
/** Sixteen magic numbers, 0x184d2a50 to 0x184d2a5f, begin frames that readers skip. */
export const skippableMagic = 0x184d2a50
export const isSkippable = (magic: number): boolean => (magic & 0xfffffff0) >>> 0 === skippableMagic

/** In a block's word: the bytes are stored uncompressed. */
export const storedBit = 0x80000000
/** Longest header: magic, FLG, BD, content size, dictionary id, checksum. */
export const maxHeaderSize = 4 + 2 + 8 + 4 + 1

const blockSizes: Record<number, number> = { 4: 65536, 5: 262144, 6: 1048576, 7: 4194304 }

export interface FrameHeader {
  /** Bytes from the magic number to the first block's word. */
  readonly headerSize: number
  readonly independent: boolean
  readonly blockChecksum: boolean
  readonly contentChecksum: boolean
  readonly blockMax: number
  readonly contentSize?: number
  readonly dictionaryId?: number
}

/** The header of a frame with independent blocks and block checksums, whose content size is not known beforehand. */
export function formatFrameHeader(blockMax: number): Uint8Array {
  const code = Object.keys(blockSizes).find(key => blockSizes[Number(key)] === blockMax)
  if (code === undefined) throw new RangeError(`LZ4 frames have no block size of ${blockMax} bytes`)
  // Version 01, block independence, block checksum.
  const descriptor = Buffer.from([0b0111_0000, Number(code) << 4])
  const header = Buffer.alloc(7)
  header.writeUInt32LE(frameMagic, 0)
  descriptor.copy(header, 4)
  header[6] = (xxh32(descriptor) >>> 8) & 0xff
  return header
}

/** Reads the header of the frame that begins at `bytes[0]`; `where` is for messages. */
export function readFrameHeader(bytes: Uint8Array, where: { file: string; offset: number }): FrameHeader {
  const fail = (at: number, problem: string): never => {
    throw new FormatError(
      { file: where.file, section: 'LZ4 frame header', offset: where.offset + at },
      problem,
    )
  }
  if (bytes.length < 7) return fail(bytes.length, 'the file ends within the header')
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const flags = bytes[4]!
  const blockDescriptor = bytes[5]!
  if (flags >>> 6 !== 1) return fail(4, `frame version ${flags >>> 6} is not known`)
  if ((flags & 0b10) !== 0 || (blockDescriptor & 0b1000_1111) !== 0) return fail(4, 'reserved bits are set')
  const blockMax = blockSizes[blockDescriptor >>> 4]
  if (blockMax === undefined) return fail(5, `block size code ${blockDescriptor >>> 4} is not known`)
  let at = 6
  const hasSize = (flags & 0b1000) !== 0
  const hasDictionary = (flags & 1) !== 0
  const headerSize = at + (hasSize ? 8 : 0) + (hasDictionary ? 4 : 0) + 1
  if (bytes.length < headerSize) return fail(bytes.length, 'the file ends within the header')
  const contentSize = hasSize ? Number(view.getBigUint64(at, true)) : undefined
  at += hasSize ? 8 : 0
  const dictionaryId = hasDictionary ? view.getUint32(at, true) : undefined
  const checksum = (xxh32(Buffer.from(bytes.subarray(4, headerSize - 1))) >>> 8) & 0xff
  if (checksum !== bytes[headerSize - 1]) return fail(headerSize - 1, 'the header checksum is wrong')
  return {
    headerSize,
    independent: (flags & 0b10_0000) !== 0,
    blockChecksum: (flags & 0b1_0000) !== 0,
    contentChecksum: (flags & 0b100) !== 0,
    blockMax,
    ...(contentSize === undefined ? {} : { contentSize }),
    ...(dictionaryId === undefined ? {} : { dictionaryId }),
  }
}
