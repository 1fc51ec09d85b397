/** Writes LZ4 content with its index and a copy of a core's head, block by block, into whatever takes bytes in order. */
import { blockBound, tailSize, writeBlock, ZeroBlock } from './block.ts'
import { IndexWriter } from './block-index.ts'
import { CoreHead, formatHeadFrame } from './core-head.ts'
import { formatFrameHeader, storedBit } from './frame.ts'

export interface ByteSink {
  /** Takes all of the bytes, or throws. */
  write(bytes: Uint8Array): void
}

export class Lz4Writer {
  readonly blockSize: number
  /** Whoever compresses blocks elsewhere shows it their content. */
  readonly head = new CoreHead()
  readonly #sink: ByteSink
  readonly #index: IndexWriter
  readonly #scratch: Buffer
  readonly #zero: ZeroBlock
  #offset = 0
  #endOfBlocks = 0
  #lastStored = true

  constructor(sink: ByteSink, blockSize: number) {
    this.#sink = sink
    this.blockSize = blockSize
    this.#index = new IndexWriter(blockSize)
    this.#scratch = Buffer.alloc(blockBound(blockSize))
    this.#zero = new ZeroBlock(blockSize)
    this.#put(formatFrameHeader(blockSize))
    this.#endOfBlocks = this.#offset
  }

  /** Bytes written so far. */
  get size(): number {
    return this.#offset
  }

  /** Bytes of content so far. */
  get contentSize(): number {
    return this.#index.contentSize
  }

  isZero(raw: Buffer): boolean {
    return this.#zero.isZero(raw)
  }

  /** Adds a whole block of zeros. */
  addZeros(): void {
    this.addEncoded(this.#zero.encoded, this.blockSize)
  }

  /** Compresses and writes one block of at most `blockSize` bytes. All but the last should be full. */
  add(raw: Buffer): void {
    this.head.feed(raw)
    if (this.isZero(raw)) this.addZeros()
    else this.addEncoded(this.#scratch.subarray(0, writeBlock(raw, this.#scratch)), raw.length)
  }

  /** Writes a block that `writeBlock` has made of `length` bytes of content. */
  addEncoded(block: Buffer, length: number): void {
    const offset = this.#offset
    this.#put(block)
    this.#endOfBlocks = this.#offset
    const word = block.readUInt32LE(0)
    this.#index.add(offset, word, length)
    this.#lastStored = (word & storedBit) !== 0
  }

  /**
   * Takes back the blocks that end behind file offset `offset`, after the sink has failed. Answers the length that the file now
   * has, at least that of its header; the sink must go on from there.
   */
  rewind(offset: number): number {
    this.#endOfBlocks = this.#index.rewind(offset, this.#endOfBlocks)
    this.#offset = this.#endOfBlocks
    this.#lastStored = false
    return this.#offset
  }

  /** Writes the last, possibly empty, piece of content, the end mark, the copy of the head and the index. */
  finish(rest: Buffer): void {
    const tail = Math.min(tailSize, rest.length)
    if (rest.length > tail) this.add(rest.subarray(0, rest.length - tail))
    if (tail > 0) {
      this.head.feed(rest.subarray(rest.length - tail))
      const length = writeBlock(rest.subarray(rest.length - tail), this.#scratch, true)
      this.addEncoded(this.#scratch.subarray(0, length), tail)
    }
    this.#put(Buffer.alloc(4))
    // Behind a compressed last block (only a file that was cut has one) they would make `lz4` stumble.
    if (!this.#lastStored) return
    if (this.head.bytes.length > 0) this.#put(formatHeadFrame(this.head.bytes))
    this.#put(this.#index.finish(this.#offset))
  }

  #put(bytes: Uint8Array): void {
    this.#sink.write(bytes)
    this.#offset += bytes.length
  }
}
