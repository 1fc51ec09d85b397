/** Where each block of a file lies and what content it holds: what the index says, or a scan has found. */

import { storedBit } from './frame.ts'

/** Anything that can be read at an offset; every `ByteSource` is one. */
export interface ByteFile {
  readonly name: string
  readonly size: number
  read(offset: number, length: number): Uint8Array
}

/** Parallel arrays: an 80 GB core has 80 000 blocks. */
export interface BlockTable {
  readonly count: number
  /** The most content that any block holds. */
  readonly blockMax: number
  /** File offset of each block's word. */
  readonly offsets: Float64Array
  readonly words: Uint32Array
  /** Content offset of each block, and the content's length as the last. */
  readonly starts: Float64Array
  /** 1 where the block's data is followed by its checksum. */
  readonly checksums: Uint8Array
  /** 1 where the block refers to the content before it, within the same frame. */
  readonly linked: Uint8Array
}

export function emptyTable(count: number, blockMax: number): BlockTable {
  return {
    count,
    blockMax,
    offsets: new Float64Array(count),
    words: new Uint32Array(count),
    starts: new Float64Array(count + 1),
    checksums: new Uint8Array(count),
    linked: new Uint8Array(count),
  }
}

/** File offset behind a block, its checksum included. */
export const endOfBlock = (table: BlockTable, i: number): number =>
  table.offsets[i]! + 4 + ((table.words[i]! & ~storedBit) >>> 0) + (table.checksums[i] === 1 ? 4 : 0)

/** The block that holds the content byte at `offset`, which lies within the content. */
export function blockAt(table: BlockTable, offset: number): number {
  let low = 0
  let high = table.count - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (table.starts[middle]! <= offset) low = middle
    else high = middle - 1
  }
  return low
}
