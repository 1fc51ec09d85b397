/**
 * The block table of a file without an index, from its headers alone: foreign files, and ours when they were cut short.
 * A block's header does not tell how much content it holds. Frames as our writer and `lz4` make them have full blocks
 * but for the last; where nothing vouches for that, `measure` decodes each block once.
 */
import { FormatError, UnsupportedError } from '../base/errors.ts'
import { tailSize } from './block.ts'
import { type BlockTable, type ByteFile, emptyTable } from './block-table.ts'
import { ContentCheck, type FrameContent } from './content-check.ts'
import { decodeData } from './decode.ts'
import {
  frameMagic,
  isSkippable,
  legacyMagic,
  maxHeaderSize,
  readFrameHeader,
  skippableMagic,
  storedBit,
} from './frame.ts'

export interface Scan {
  readonly table: BlockTable
  /** What is missing, one sentence each. */
  readonly warnings: string[]
  /** False where `table.starts` are not known: the blocks must be measured, or decoded in order. */
  readonly measured: boolean
  /** What the frames say of their content. */
  readonly frames: readonly FrameContent[]
  /** The magic number of the skippable frame that the file ends with. */
  readonly lastSkippable?: number | undefined
}

interface Found {
  offset: number
  word: number
  blockMax: number
  checksum: boolean
  linked: boolean
}

/** Bounds what a hostile file can make us hold: 4 million blocks are 256 GB of the smallest. */
const maxBlocks = 4 << 20

interface Walk {
  readonly found: Found[]
  readonly warnings: string[]
  readonly contents: FrameContent[]
  /** All blocks are full, as far as the headers can vouch for it, but for the last ones. */
  readonly full: boolean
  /** Where the last frame ends by its header, be it beyond the file. */
  readonly end: number
  readonly lastSkippable: number | undefined
}

/** Finds the blocks. A file that is not LZ4 at its beginning is a FormatError; one that ends early is not. */
export function scanBlocks(file: ByteFile): Scan {
  const { found, warnings, contents, full, lastSkippable } = walk(file)
  return { ...tableOf(file, found, warnings, full), frames: contents, lastSkippable }
}

/**
 * Where the headers of frames and blocks, by which other programs read a file, are not what its index says; undefined where they
 * are. The blocks' content is not looked at.
 */
export function headerDamage(file: ByteFile, index: BlockTable): string | undefined {
  try {
    const { found, warnings, end } = walk(file)
    // Who ends a file that was cut puts an empty block there, which the index has not.
    const blocks = found.filter(({ word }) => (word & ~storedBit) !== 0)
    const isSame = (block: Found | undefined, i: number): boolean =>
      block?.offset === index.offsets[i] && block?.word === index.words[i]
    const other = index.words.findIndex((_, i) => !isSame(blocks[i], i))
    if (other >= 0) return `block ${other}, at byte ${index.offsets[other]}, is not where they lead`
    if (blocks.length > index.count) return 'they lead to more blocks'
    return warnings[0] ?? (end === file.size ? undefined : `they lead to byte ${end} of ${file.size}`)
  } catch (error) {
    if (error instanceof FormatError || error instanceof UnsupportedError) return error.message
    throw error
  }
}

/** Goes through frames and block headers. */
function walk(file: ByteFile): Walk {
  const found: Found[] = []
  const contents: FrameContent[] = []
  const warnings: string[] = []
  let full = true
  let frames = 0
  let lastSkippable: number | undefined
  let at = 0
  while (at < file.size) {
    const head = Buffer.from(file.read(at, maxHeaderSize))
    const magic = head.length >= 4 ? head.readUInt32LE(0) : 0
    if (head.length >= 8 && isSkippable(magic)) {
      at += 8 + head.readUInt32LE(4)
      lastSkippable = magic
      continue
    }
    lastSkippable = undefined
    if (magic !== frameMagic) {
      if (magic === legacyMagic) throw new UnsupportedError(file.name, 'the legacy LZ4 frame format')
      if (frames === 0) throw notLz4(file, at, magic)
      warnings.push(`${file.size - at} bytes behind the last frame are not LZ4`)
      break
    }
    const header = frameHeader(file, head, at, frames, warnings)
    if (header === undefined) break
    frames++
    if (header.dictionaryId !== undefined)
      throw new UnsupportedError(
        file.name,
        `LZ4 with dictionary ${header.dictionaryId}, which is not in the file`,
      )
    // Ours, and those of `lz4 -BX --no-frame-crc`. A writer that flushes half blocks keeps a content checksum by default.
    full &&= header.independent && header.blockChecksum && !header.contentChecksum
    full &&= header.contentSize === undefined
    const first = found.length
    at += header.headerSize
    for (;;) {
      const word = wordAt(file, at)
      if (word === undefined) {
        warnings.push('the file ends before the end mark of its last frame')
        at = file.size
        break
      }
      if (word === 0) {
        at += 4
        const checksum = header.contentChecksum ? wordAt(file, at) : undefined
        if (checksum === undefined && header.contentChecksum)
          warnings.push('the file ends before the content checksum of its last frame')
        if (found.length > first)
          contents.push({ from: first, to: found.length, size: header.contentSize, checksum })
        at += header.contentChecksum ? 4 : 0
        break
      }
      const length = (word & ~storedBit) >>> 0
      const end = at + 4 + length + (header.blockChecksum ? 4 : 0)
      if (length > header.blockMax || found.length >= maxBlocks) {
        warnings.push(`block ${found.length} at byte ${at} is out of bounds; what follows is lost`)
        at = file.size
        break
      }
      if (end > file.size) {
        warnings.push(`the file ends within block ${found.length}, at byte ${at}`)
        at = file.size
        break
      }
      found.push({
        offset: at,
        word,
        blockMax: header.blockMax,
        checksum: header.blockChecksum,
        linked: !header.independent && found.length > first,
      })
      at = end
    }
  }
  if (frames === 0 && warnings.length === 0) throw notLz4(file, 0, 0)
  return { found, warnings, contents, full: full && frames <= 1, end: at, lastSkippable }
}

const wordAt = (file: ByteFile, at: number): number | undefined =>
  at + 4 <= file.size ? Buffer.from(file.read(at, 4)).readUInt32LE(0) : undefined

function frameHeader(
  file: ByteFile,
  head: Buffer,
  at: number,
  frames: number,
  warnings: string[],
): ReturnType<typeof readFrameHeader> | undefined {
  try {
    return readFrameHeader(head, { file: file.name, offset: at })
  } catch (error) {
    if (frames === 0 && at + maxHeaderSize < file.size) throw error
    warnings.push((error as Error).message)
    return undefined
  }
}

function tableOf(
  file: ByteFile,
  found: Found[],
  warnings: string[],
  full: boolean,
): Pick<Scan, 'table' | 'warnings' | 'measured'> {
  const table = emptyTable(
    found.length,
    found.reduce((most, block) => Math.max(most, block.blockMax), 0),
  )
  found.forEach((block, i) => {
    table.offsets[i] = block.offset
    table.words[i] = block.word
    table.checksums[i] = block.checksum ? 1 : 0
    table.linked[i] = block.linked ? 1 : 0
    table.starts[i + 1] = table.starts[i]! + block.blockMax
  })
  // The last block may be short, and in ours the one before it, too; what a power cut left may follow both.
  let count = found.length
  const scratch = Buffer.alloc(table.blockMax)
  for (let i = Math.max(0, found.length - 3); full && i < count; i++) {
    let length = storedLength(found[i]!) ?? table.blockMax
    try {
      length = decodeData(file, table, i, scratch)
    } catch (error) {
      warnings.push((error as Error).message)
      // A packed one was full where another follows that is no tail; else nobody knows how much it held, and where the tail belongs.
      const isLast = i + 1 === count || isTail(found[i + 1]!)
      if (isLast && storedLength(found[i]!) === undefined) count = i
    }
    if (i < count) table.starts[i + 1] = table.starts[i]! + length
  }
  return {
    table: { ...table, count, starts: table.starts.slice(0, count + 1) },
    warnings,
    measured: full || found.length === 0,
  }
}

/** Of a block that is stored as it is. */
const storedLength = ({ word }: Found): number | undefined =>
  (word & storedBit) === 0 ? undefined : (word & ~storedBit) >>> 0

/** The last block of ours, behind one that may be short. */
const isTail = (block: Found): boolean => (storedLength(block) ?? tailSize + 1) <= tailSize

/**
 * Decodes every block of independent frames once to learn what it holds. The table ends before the first damaged
 * block, because what lies behind it has no known place.
 */
export function measure(file: ByteFile, scan: Scan, onProgress?: (done: number, of: number) => void): Scan {
  const { table } = scan
  const warnings = [...scan.warnings]
  const scratch = Buffer.alloc(table.blockMax)
  const check = new ContentCheck(scan.frames)
  let count = 0
  try {
    for (; count < table.count; count++) {
      const length = decodeData(file, table, count, scratch)
      table.starts[count + 1] = table.starts[count]! + length
      const problem = check.add(scratch.subarray(0, length))
      if (problem !== undefined) warnings.push(problem)
      if ((count & 63) === 0) onProgress?.(table.offsets[count]!, file.size)
    }
  } catch (error) {
    warnings.push(`${(error as Error).message}; what follows is lost`)
  }
  const measured = { ...table, count, starts: table.starts.slice(0, count + 1) }
  return { ...scan, table: measured, warnings, measured: true }
}

const notLz4 = (file: ByteFile, at: number, magic: number): FormatError =>
  new FormatError(
    { file: file.name, section: 'LZ4 frame', offset: at },
    `the magic number is 0x${magic.toString(16)}, not 0x${frameMagic.toString(16)} or 0x${skippableMagic.toString(16)}`,
  )
