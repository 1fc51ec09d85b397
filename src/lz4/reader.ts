/**
 * Random access to the content of an LZ4 file: by its index, or by a scan of block headers.
 * Few blocks are kept decoded; all blocks of zeros are one.
 */

import { FormatError, UnsupportedError } from '../base/errors.ts'
import { readBlock } from './block.ts'
import { indexFrameMagic, readIndex } from './block-index.ts'
import { type BlockTable, type ByteFile, blockAt } from './block-table.ts'
import { ContentCheck } from './content-check.ts'
import { readHeadFrame } from './core-head.ts'
import { blockData, decodeData, decodeInOrder } from './decode.ts'
import { storedBit } from './frame.ts'
import { headerDamage, measure, scanBlocks } from './scan.ts'

/** Damage is told of so often; then it is known. */
const mostWarnings = 32

export interface Lz4Options {
  /** Bytes of decoded blocks that are kept. */
  cache?: number
  onProgress?: (done: number, of: number) => void
  /** Reads a damaged block as far as it can be made out, zeros where it can't, with a warning; an error otherwise. */
  tolerant?: boolean
}

export class Lz4Reader {
  readonly name: string
  /** Bytes of content. */
  readonly size: number
  readonly table: BlockTable
  readonly indexed: boolean
  readonly #file: ByteFile
  readonly #warnings: string[]
  readonly #tolerant: boolean
  readonly #damaged = new Set<number>()
  readonly #keep: number
  /** Decoded blocks, the longest unused first. */
  readonly #cache = new Map<number, Buffer>()
  readonly #zeros: Buffer
  /** Undefined until it is asked for; what is wrong with it, where it is damaged. */
  #copy: { readonly head: Buffer; readonly problem?: string } | undefined

  constructor(file: ByteFile, table: BlockTable, indexed: boolean, warnings: string[], options: Lz4Options) {
    const cache = options.cache ?? 32 << 20
    this.name = file.name
    this.table = table
    this.indexed = indexed
    this.#warnings = warnings
    this.#tolerant = options.tolerant ?? false
    this.size = table.starts[table.count]!
    this.#file = file
    this.#keep = Math.max(2, Math.floor(cache / Math.max(1, table.blockMax)))
    this.#zeros = Buffer.alloc(table.blockMax)
  }

  /** Grows while damaged blocks are read. */
  get warnings(): readonly string[] {
    return this.#warnings
  }

  /**
   * The copy of the core's head, which stands in for damaged blocks where `tolerant` is set; undefined where the file has
   * none. Throws FormatError where it is damaged.
   */
  readHead(): Buffer | undefined {
    return readHeadFrame(this.#file, this.table, this.indexed)
  }

  /** What keeps other programs from reading a file that is read by its index; undefined where nothing does. */
  headerDamage(): string | undefined {
    return this.indexed ? headerDamage(this.#file, this.table) : undefined
  }

  /** The content `[offset, offset + length)`, fewer at its end. A view that stays good until the next read. */
  read(offset: number, length: number): Buffer {
    const end = Math.min(this.size, offset + length)
    if (!(offset >= 0 && offset < end)) return Buffer.alloc(0)
    let i = blockAt(this.table, offset)
    const within = offset - this.table.starts[i]!
    if (end <= this.table.starts[i + 1]!) return this.#block(i).subarray(within, end - this.table.starts[i]!)
    const result = Buffer.allocUnsafe(end - offset)
    for (let at = offset; at < end; i++) {
      const start = this.table.starts[i]!
      const next = Math.min(end, this.table.starts[i + 1]!)
      this.#block(i).copy(result, at - offset, at - start, next - start)
      at = next
    }
    return result
  }

  #block(i: number): Buffer {
    const kept = this.#cache.get(i)
    if (kept !== undefined) {
      this.#cache.delete(i)
      this.#cache.set(i, kept)
      return kept
    }
    const length = this.table.starts[i + 1]! - this.table.starts[i]!
    let block: Buffer | undefined
    if (this.#cache.size >= this.#keep) {
      const oldest = this.#cache.keys().next().value!
      const reused = this.#cache.get(oldest)!
      this.#cache.delete(oldest)
      if (reused !== this.#zeros) block = reused
    }
    block ??= Buffer.allocUnsafe(this.table.blockMax)
    try {
      if (this.#isZeros(i, length)) block = this.#zeros
      else this.#decode(i, length, block)
    } catch (error) {
      if (!this.#tolerant || !(error instanceof FormatError)) throw error
      this.#salvage(i, length, block, error)
    }
    this.#cache.set(i, block)
    return block
  }

  #decode(i: number, length: number, block: Buffer): void {
    const got = decodeData(this.#file, this.table, i, block)
    if (got === length) return
    throw new FormatError(
      { file: this.name, section: 'LZ4 block', offset: this.table.offsets[i]! },
      `block ${i} holds ${got} bytes where ${length} were expected`,
    )
  }

  /** A flipped bit leaves most of a block readable: the decoder writes up to where it stumbles. */
  #salvage(i: number, length: number, block: Buffer, error: FormatError): void {
    block.fill(0)
    const word = this.table.words[i]!
    const data = this.#file.read(this.table.offsets[i]! + 4, (word & ~storedBit) >>> 0)
    readBlock(word, Buffer.from(data), block.subarray(0, length))
    const start = this.table.starts[i]!
    const { head, instead } = this.#copyFor(start)
    block.set(head.subarray(start, start + length))
    const from = Math.max(start, Math.min(head.length, start + length))
    if (this.#damaged.size < mostWarnings && !this.#damaged.has(i))
      this.#warnings.push(
        `${error.message}${instead}${from === start + length ? '' : `; bytes ${from} to ${start + length} of the core may be wrong or missing`}`,
      )
    this.#damaged.add(i)
  }

  /** What is known of the head where the block at `start` of the content is damaged, and the words for it. */
  #copyFor(start: number): { head: Buffer; instead: string } {
    this.#copy ??= this.#openCopy()
    const { head, problem } = this.#copy
    const copied = `; the core's head, its first ${head.length} bytes, is read from its copy`
    const lost =
      start === 0 && problem !== undefined ? `, and the copy of the core's head is damaged: ${problem}` : ''
    return { head, instead: start < head.length ? copied : lost }
  }

  #openCopy(): { head: Buffer; problem?: string } {
    try {
      return { head: this.readHead() ?? Buffer.alloc(0) }
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      return { head: Buffer.alloc(0), problem: error.problem }
    }
  }

  /** Zeros compress to one literal zero, a match at distance one, and a few literals: told without decoding. */
  #isZeros(i: number, length: number): boolean {
    const word = this.table.words[i]!
    if ((word & storedBit) !== 0 || word > length / 250 + 32 || length < 65536) return false
    const data = blockData(this.#file, this.table, i)
    if (data[0] !== 0x1f || data[1] !== 0 || data[2] !== 1 || data[3] !== 0) return false
    let at = 4
    while (at < data.length && data[at] === 255) at++
    if (at >= data.length) return false
    // One literal, 15 + 4 and 255 for each full byte and the last one: the match. Then the literals at the end.
    const matched = 1 + 19 + (at - 4) * 255 + data[at]!
    const token = data[at + 1]!
    const tail = token >>> 4
    if ((token & 15) !== 0 || tail > 14 || at + 2 + tail !== data.length || matched + tail !== length)
      return false
    return data.subarray(at + 2).every(byte => byte === 0)
  }
}

/**
 * Opens LZ4 content for random access. Throws FormatError where the file is not LZ4, and UnsupportedError where its
 * blocks depend on one another: such a file must be unpacked in order, see `unpackLz4`.
 */
export function openLz4(file: ByteFile, options: Lz4Options = {}): Lz4Reader {
  const warnings: string[] = []
  try {
    const table = readIndex(file)
    if (table !== undefined) return new Lz4Reader(file, table, true, warnings, options)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    warnings.push(error.message)
  }
  let scan = scanBlocks(file)
  if (scan.table.linked.includes(1))
    throw new UnsupportedError(file.name, 'LZ4 blocks that depend on one another')
  if (scan.lastSkippable === indexFrameMagic && warnings.length === 0)
    warnings.push(`${file.name}: the block index at its end is damaged`)
  if (!scan.measured) scan = measure(file, scan, options.onProgress)
  return new Lz4Reader(file, scan.table, false, [...warnings, ...scan.warnings], options)
}

/**
 * All content in order, from any LZ4 file. Damage of a block ends it: the pieces so far are good, and `onWarning` hears why. So
 * it does of a frame whose content as a whole is not what it was.
 */
export function* unpackLz4(file: ByteFile, onWarning: (warning: string) => void): Generator<Buffer> {
  const scan = scanBlocks(file)
  scan.warnings.forEach(onWarning)
  const check = new ContentCheck(scan.frames)
  try {
    for (const piece of decodeInOrder(file, scan.table)) {
      const problem = check.add(piece)
      if (problem !== undefined) onWarning(problem)
      yield piece
    }
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    onWarning(`${error.message}; what follows is lost`)
  }
}
