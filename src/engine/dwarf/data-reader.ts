/**
 * Numbers and text at a position of a debug section: the quick sibling of Cursor, made for sections of hundreds of
 * megabytes that are walked entry by entry. Running off the end throws FormatError.
 */
import { FormatError } from '../../base/errors.ts'
import { utf8 } from '../bytes/cursor.ts'
import { viewOf } from '../bytes/layout.ts'
import { readSleb } from './leb128.ts'
import { blockSize, type PackedSection } from './packed-section.ts'

export class DataReader {
  readonly bytes: Uint8Array
  readonly view: DataView
  readonly littleEndian: boolean
  readonly file: string
  readonly section: string
  readonly #packed: PackedSection | undefined
  /** Blocks of it that `bytes` has; 1 for those. */
  readonly #filled: Uint8Array
  at = 0

  /** Over a section's bytes, or over one in blocks, which are unpacked when a read comes near them. */
  constructor(content: Uint8Array | PackedSection, littleEndian: boolean, file: string, section: string) {
    const packed = content instanceof Uint8Array ? undefined : content
    const bytes = content instanceof Uint8Array ? content : new Uint8Array(content.size)
    this.#packed = packed
    this.#filled = new Uint8Array(packed ? Math.ceil(packed.size / blockSize) : 0)
    this.bytes = bytes
    this.view = viewOf(bytes)
    this.littleEndian = littleEndian
    this.file = file
    this.section = section
  }

  /**
   * Makes sure of the bytes at `at` and a block's length behind, so that an entry may be walked over without asking
   * again; and of `length` bytes, where that is more.
   */
  ready(at: number, length = 0): void {
    const packed = this.#packed
    if (!packed) return
    const [first, last] = [
      Math.floor(at / blockSize),
      Math.floor((at + Math.max(length, blockSize)) / blockSize),
    ]
    for (let n = Math.max(0, first); n <= last && n < this.#filled.length; n++) {
      if (this.#filled[n] === 1) continue
      this.#filled[n] = 1
      this.bytes.set(packed.block(n).subarray(0, this.bytes.length - n * blockSize), n * blockSize)
    }
  }

  u8(): number {
    this.#need(1)
    return this.bytes[this.at++]!
  }

  /** Unsigned, of 1, 2, 3, 4 or 8 bytes; exact below 2^53. */
  uint(size: number): number {
    this.#need(size)
    const { at, view, littleEndian } = this
    this.at += size
    if (size === 1) return view.getUint8(at)
    if (size === 2) return view.getUint16(at, littleEndian)
    if (size === 4) return view.getUint32(at, littleEndian)
    if (size === 8) {
      const [first, second] = [view.getUint32(at, littleEndian), view.getUint32(at + 4, littleEndian)]
      return littleEndian ? second * 2 ** 32 + first : first * 2 ** 32 + second
    }
    if (size !== 3) throw this.error(`a number of ${size} bytes`)
    const [a, b, c] = [this.bytes[at]!, this.bytes[at + 1]!, this.bytes[at + 2]!]
    return littleEndian ? a | (b << 8) | (c << 16) : c | (b << 8) | (a << 16)
  }

  u64(): bigint {
    this.#need(8)
    this.at += 8
    return this.view.getBigUint64(this.at - 8, this.littleEndian)
  }

  /** Unsigned LEB128, exact below 2^53. */
  uleb(): number {
    let value = 0
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      const byte = this.u8()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    throw this.error('a LEB128 number does not end')
  }

  /** Signed LEB128 of 64 bits. */
  sleb(): bigint {
    return readSleb(this)
  }

  take(length: number): Uint8Array {
    this.#need(length)
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  /** Text up to a NUL, which is consumed. */
  text(): string {
    this.ready(this.at)
    const end = this.bytes.indexOf(0, this.at)
    if (end < 0) throw this.error('text does not end')
    const text = utf8(this.bytes.subarray(this.at, end))
    this.at = end + 1
    return text
  }

  error(problem: string): FormatError {
    return new FormatError({ file: this.file, section: this.section, offset: this.at }, problem)
  }

  #need(length: number): void {
    if (!(length >= 0 && this.at >= 0 && this.at + length <= this.bytes.length))
      throw this.error(`${length} bytes expected, ${this.bytes.length - this.at} left`)
    if (this.#packed) this.ready(this.at, length)
  }
}
