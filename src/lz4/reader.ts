/**
 * Random access to the content of an LZ4 file: by its index, or by a scan of block headers.
 * Few blocks are kept decoded; all blocks of zeros are one.
 */
import { FormatError, UnsupportedError } from '../base/errors.ts'
import { readIndex } from './block-index.ts'
import { type BlockTable, type ByteFile, blockAt } from './block-table.ts'
import { blockData, decodeData, decodeInOrder } from './decode.ts'
import { storedBit } from './frame.ts'
import { measure, scanBlocks } from './scan.ts'

export interface Lz4Options {
  /** Bytes of decoded blocks that are kept. */
  cache?: number
  onProgress?: (done: number, of: number) => void
}

export class Lz4Reader {
  readonly name: string
  /** Bytes of content. */
  readonly size: number
  readonly table: BlockTable
  readonly indexed: boolean
  readonly warnings: readonly string[]
  readonly #file: ByteFile
  readonly #keep: number
  /** Decoded blocks, the longest unused first. */
  readonly #cache = new Map<number, Buffer>()
  readonly #zeros: Buffer

  constructor(file: ByteFile, table: BlockTable, indexed: boolean, warnings: string[], cache: number) {
    this.name = file.name
    this.table = table
    this.indexed = indexed
    this.warnings = warnings
    this.size = table.starts[table.count]!
    this.#file = file
    this.#keep = Math.max(2, Math.floor(cache / Math.max(1, table.blockMax)))
    this.#zeros = Buffer.alloc(table.blockMax)
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
    if (this.#isZeros(i, length)) block = this.#zeros
    else {
      block ??= Buffer.allocUnsafe(this.table.blockMax)
      const got = decodeData(this.#file, this.table, i, block)
      if (got !== length)
        throw new FormatError(
          { file: this.name, section: 'LZ4 block', offset: this.table.offsets[i]! },
          `block ${i} holds ${got} bytes where ${length} were expected`,
        )
    }
    this.#cache.set(i, block)
    return block
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
  const cache = options.cache ?? 32 << 20
  const warnings: string[] = []
  try {
    const table = readIndex(file)
    if (table !== undefined) return new Lz4Reader(file, table, true, warnings, cache)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    warnings.push(error.message)
  }
  let scan = scanBlocks(file)
  if (scan.table.linked.includes(1))
    throw new UnsupportedError(file.name, 'LZ4 blocks that depend on one another')
  if (!scan.measured) scan = measure(file, scan, options.onProgress)
  return new Lz4Reader(file, scan.table, false, [...warnings, ...scan.warnings], cache)
}

/** All content in order, from any LZ4 file. Damage ends it: the pieces so far are good, and `onWarning` hears why. */
export function* unpackLz4(file: ByteFile, onWarning: (warning: string) => void): Generator<Buffer> {
  const scan = scanBlocks(file)
  scan.warnings.forEach(onWarning)
  try {
    yield* decodeInOrder(file, scan.table)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    onWarning(`${error.message}; what follows is lost`)
  }
}
