/**
 * Which memory was looked at. A process whose memory takes notes is analysed as ever, and afterwards it is known what the
 * answer was made of: all that a core must hold to give the same answer again.
 */
import type { ByteOrder } from './memory.ts'
import { type Region, SplicedMemory } from './memory.ts'

/** Addresses `[start, end)`. */
export interface AddressRange {
  readonly start: number
  readonly end: number
}

/** One bitmap is for so many bytes of memory. */
const windowSize = 1 << 16
/** Nothing that was really read is longer; a damaged length must not fill the notes. */
const mostAtOnce = 1 << 30

/** A set of addresses, held in grains of a few bytes. */
export class TouchedMemory {
  /** Bytes, a power of two of at most 64 KiB. */
  readonly grain: number
  readonly #windows = new Map<number, Uint8Array>()
  #last: Uint8Array = new Uint8Array(0)
  #lastNumber = -1
  #grains = 0

  constructor(grain: number) {
    this.grain = grain
  }

  /** Bytes in all. */
  get size(): number {
    return this.#grains * this.grain
  }

  add(start: number, length: number): void {
    if (!(length > 0 && length <= mostAtOnce && start >= 0 && Number.isSafeInteger(start + length))) return
    const last = Math.floor((start + length - 1) / this.grain)
    const perWindow = windowSize / this.grain
    for (let grain = Math.floor(start / this.grain); grain <= last; grain++) {
      const number = Math.floor(grain / perWindow)
      const window = number === this.#lastNumber ? this.#last : this.#windowAt(number, perWindow)
      const at = grain - number * perWindow
      if (window[at] === 1) continue
      window[at] = 1
      this.#grains++
    }
  }

  has(addr: number): boolean {
    const window = this.#windows.get(Math.floor(addr / windowSize))
    return window?.[Math.floor((addr % windowSize) / this.grain)] === 1
  }

  /** By address, apart from each other by at least a grain. */
  ranges(): AddressRange[] {
    const ranges: { start: number; end: number }[] = []
    for (const number of [...this.#windows.keys()].sort((a, b) => a - b)) {
      const window = this.#windows.get(number)!
      for (let i = 0; i < window.length; i++) {
        if (window[i] !== 1) continue
        const start = number * windowSize + i * this.grain
        const open = ranges.at(-1)
        if (open?.end === start) open.end += this.grain
        else ranges.push({ start, end: start + this.grain })
      }
    }
    return ranges
  }

  #windowAt(number: number, length: number): Uint8Array {
    let window = this.#windows.get(number)
    if (!window) {
      window = new Uint8Array(length)
      this.#windows.set(number, window)
    }
    this.#last = window
    this.#lastNumber = number
    return window
  }
}

/** Whether an address is there is an answer too, but not of how much lies behind it. */
const mostAsked = 4096

/** Memory that notes what of it is read. */
export class RecordingMemory extends SplicedMemory {
  readonly #touched: TouchedMemory

  constructor(regions: readonly Region[], order: ByteOrder, touched: TouchedMemory) {
    super(regions, order)
    this.#touched = touched
  }

  override u8(addr: number): number {
    this.#touched.add(addr, 1)
    return super.u8(addr)
  }

  override u16(addr: number): number {
    this.#touched.add(addr, 2)
    return super.u16(addr)
  }

  override u32(addr: number): number {
    this.#touched.add(addr, 4)
    return super.u32(addr)
  }

  override u64(addr: number): bigint {
    this.#touched.add(addr, 8)
    return super.u64(addr)
  }

  override word(addr: number): number {
    this.#touched.add(addr, this.ptrSize)
    return super.word(addr)
  }

  override read(addr: number, length: number): Uint8Array {
    this.#touched.add(addr, length)
    return super.read(addr, length)
  }

  override has(addr: number, length: number): boolean {
    this.#touched.add(addr, Math.min(length, mostAsked))
    return super.has(addr, length)
  }
}
