/**
 * The dead process's memory, pieced together: what the core holds wins, the files that were mapped fill the gaps
 * (the kernel leaves clean file pages out of a core), and what is in neither is a MemoryFault, never zeros.
 *
 * Addresses are numbers: user space ends below 2^53 on every Linux architecture. Values of 64 bits come as bigint
 * from `u64`, or from `word` as a number, which is Infinity for what a number cannot hold.
 */
import { MemoryFault } from '../../base/errors.ts'
import type { ByteSource } from '../bytes/byte-source.ts'
import { utf8 } from '../bytes/cursor.ts'

export interface Memory {
  readonly ptrSize: 4 | 8
  readonly littleEndian: boolean
  /** A copy of the bytes `[addr, addr + length)`; throws MemoryFault unless all are there. */
  read(addr: number, length: number): Uint8Array
  /** As `read`, but `undefined` in place of the fault. */
  tryRead(addr: number, length: number): Uint8Array | undefined
  u8(addr: number): number
  u16(addr: number): number
  u32(addr: number): number
  i32(addr: number): number
  u64(addr: number): bigint
  /** A pointer-sized value; Infinity where it is 2^53 or more. */
  word(addr: number): number
  /** Text up to a NUL, of at most `max` bytes. */
  cstring(addr: number, max: number): string
  has(addr: number, length: number): boolean
}

/** How words lie in memory. */
export interface ByteOrder {
  readonly ptrSize: 4 | 8
  readonly littleEndian: boolean
}

/** A run of addresses and the bytes behind it. */
export interface Region {
  readonly start: number
  readonly end: number
  readonly source: ByteSource
  /** Offset of `start` in the source. */
  readonly offset: number
  readonly origin: 'core' | 'file'
}

const blockSize = 1 << 16
const slotCount = 512
/** One request is never larger: sizes come from damaged memory, too. */
const maxRead = 256 << 20

interface Block {
  start: number
  end: number
  bytes: Uint8Array
  view: DataView
}

const emptyBlock: Block = {
  start: 0,
  end: 0,
  bytes: new Uint8Array(0),
  view: new DataView(new ArrayBuffer(0)),
}

/**
 * Adds `lower` where `upper` has gaps. Both sorted and free of overlaps, and so is the result: the way layers of
 * memory are laid over each other.
 */
export function splice(upper: readonly Region[], lower: readonly Region[]): Region[] {
  const result: Region[] = [...upper]
  let i = 0
  for (const region of lower) {
    let start = region.start
    while (i > 0 && upper[i - 1]!.end > start) i--
    while (i < upper.length && upper[i]!.end <= start) i++
    for (let j = i; start < region.end; j++) {
      const next = upper[j]
      const end = Math.min(region.end, next?.start ?? Infinity)
      if (end > start) result.push({ ...region, start, end, offset: region.offset + (start - region.start) })
      if (!next || next.start >= region.end) break
      start = Math.max(start, next.end)
    }
  }
  return result.sort((a, b) => a.start - b.start)
}

/** Part of a byte would never be read whole: a loop that waits for it has no end. */
const isReadable = (addr: number, length: number): boolean =>
  Number.isSafeInteger(addr) && Number.isInteger(length) && length >= 0 && length <= maxRead

/** Memory over regions that are sorted and free of overlaps. */
export class SplicedMemory implements Memory {
  readonly ptrSize: 4 | 8
  readonly littleEndian: boolean
  readonly regions: readonly Region[]
  readonly #starts: Float64Array
  /** Direct-mapped by block number: small, no bookkeeping on a hit, and the stacks of a walk are neighbours. */
  readonly #slots: Block[] = new Array<Block>(slotCount).fill(emptyBlock)
  #last: Block = emptyBlock
  readonly #scratch = new DataView(new ArrayBuffer(8))

  constructor(regions: readonly Region[], { ptrSize, littleEndian }: ByteOrder) {
    this.ptrSize = ptrSize
    this.littleEndian = littleEndian
    this.regions = regions
    this.#starts = Float64Array.from(regions, ({ start }) => start)
  }

  u8(addr: number): number {
    const block = this.#at(addr, 1)
    return block.view.getUint8(addr - block.start)
  }

  u16(addr: number): number {
    const block = this.#find(addr, 2)
    if (block) return block.view.getUint16(addr - block.start, this.littleEndian)
    return this.#across(addr, 2).getUint16(0, this.littleEndian)
  }

  u32(addr: number): number {
    const block = this.#find(addr, 4)
    if (block) return block.view.getUint32(addr - block.start, this.littleEndian)
    return this.#across(addr, 4).getUint32(0, this.littleEndian)
  }

  i32(addr: number): number {
    return this.u32(addr) | 0
  }

  u64(addr: number): bigint {
    const block = this.#find(addr, 8)
    if (block) return block.view.getBigUint64(addr - block.start, this.littleEndian)
    return this.#across(addr, 8).getBigUint64(0, this.littleEndian)
  }

  word(addr: number): number {
    if (this.ptrSize === 4) return this.u32(addr)
    let view: DataView
    let at = 0
    const block = this.#find(addr, 8)
    if (block) {
      view = block.view
      at = addr - block.start
    } else view = this.#across(addr, 8)
    const little = this.littleEndian
    const high = view.getUint32(little ? at + 4 : at, little)
    return high < 0x200000 ? high * 0x100000000 + view.getUint32(little ? at : at + 4, little) : Infinity
  }

  read(addr: number, length: number): Uint8Array {
    if (!isReadable(addr, length)) throw new MemoryFault(addr, `cannot be read for ${length} bytes`)
    const result = new Uint8Array(length)
    let done = 0
    // Long reads go straight to the source and leave the blocks to the small ones.
    while (done < length) {
      const region = this.#regionAt(addr + done)
      const at = addr + done - region.start
      const wanted = Math.min(length - done, region.end - region.start - at)
      if (wanted <= blockSize) {
        const block = this.#at(addr + done, 1)
        const from = addr + done - block.start
        const part = block.bytes.subarray(from, Math.min(block.end - block.start, from + wanted))
        result.set(part, done)
        done += part.length
      } else {
        const chunk = Math.min(wanted, 1 << 22)
        const part = region.source.read(region.offset + at, chunk)
        if (part.length < chunk)
          throw new MemoryFault(addr + done + part.length, 'is past the end of its file')
        result.set(part, done)
        done += chunk
      }
    }
    return result
  }

  tryRead(addr: number, length: number): Uint8Array | undefined {
    return this.has(addr, length) ? this.read(addr, length) : undefined
  }

  cstring(addr: number, max: number): string {
    const bytes: number[] = []
    for (let at = addr; bytes.length < max; at++) {
      const byte = this.u8(at)
      if (byte === 0) break
      bytes.push(byte)
    }
    return utf8(Uint8Array.from(bytes))
  }

  has(addr: number, length: number): boolean {
    if (!isReadable(addr, length)) return false
    for (let at = addr; at < addr + length; ) {
      const region = this.#findRegion(at)
      if (!region) return false
      at = region.end
    }
    return true
  }

  /** The region that holds `addr`. */
  regionAt(addr: number): Region | undefined {
    return this.#findRegion(addr)
  }

  /** The block that holds all of `[addr, addr + length)`, or undefined where they lie across two. */
  #find(addr: number, length: number): Block | undefined {
    const last = this.#last
    if (addr >= last.start && addr + length <= last.end) return last
    const block = this.#at(addr, length)
    return addr + length <= block.end ? block : undefined
  }

  #at(addr: number, length: number): Block {
    const last = this.#last
    if (addr >= last.start && addr + length <= last.end) return last
    const number = Math.floor(addr / blockSize)
    // Spread: text, heap and stacks are often the same multiple of the table's size apart.
    const slot = (number ^ (number >>> 9) ^ (number / 0x40000000)) & (slotCount - 1)
    const cached = this.#slots[slot]!
    const hit = addr >= cached.start && addr < cached.end
    const block = hit ? cached : this.#load(addr, number * blockSize, cached)
    this.#slots[slot] = block
    this.#last = block
    return block
  }

  /** Fills the buffer of the block that leaves the slot: nothing outside keeps a block. */
  #load(addr: number, window: number, leaving: Block): Block {
    const region = this.#regionAt(addr)
    const start = Math.max(region.start, window)
    const end = Math.min(region.end, window + blockSize)
    const part = region.source.read(region.offset + (start - region.start), end - start)
    if (addr >= start + part.length) throw new MemoryFault(addr, 'is past the end of its file')
    const block =
      leaving === emptyBlock
        ? { start: 0, end: 0, bytes: new Uint8Array(blockSize), view: emptyBlock.view }
        : leaving
    if (leaving === emptyBlock) block.view = new DataView(block.bytes.buffer)
    block.bytes.set(part)
    block.start = start
    block.end = start + part.length
    return block
  }

  #across(addr: number, length: number): DataView {
    for (let i = 0; i < length; i++) this.#scratch.setUint8(i, this.u8(addr + i))
    return this.#scratch
  }

  #regionAt(addr: number): Region {
    const region = this.#findRegion(addr)
    if (!region) throw new MemoryFault(addr)
    return region
  }

  #findRegion(addr: number): Region | undefined {
    let low = 0
    let high = this.#starts.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#starts[middle]! <= addr) low = middle + 1
      else high = middle
    }
    const region = this.regions[low - 1]
    return region && addr < region.end ? region : undefined
  }
}
