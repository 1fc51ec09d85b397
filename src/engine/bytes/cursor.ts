/**
 * A position in a piece of a file, for data without a fixed size. A read that fails throws a FormatError that names
 * the file, the section and the byte, and leaves the position where it was.
 */
import { FormatError } from '../../base/errors.ts'
import { viewOf } from './layout.ts'

export interface CursorOrigin {
  file: string
  section: string
  littleEndian: boolean
  /** Bytes of an address: 4 or 8. */
  ptrSize: number
}

export class Cursor {
  readonly bytes: Uint8Array
  readonly origin: CursorOrigin
  readonly #view: DataView
  at: number

  constructor(bytes: Uint8Array, origin: CursorOrigin, at = 0) {
    this.bytes = bytes
    this.origin = origin
    this.#view = viewOf(bytes)
    this.at = at
  }

  get remaining(): number {
    return this.bytes.length - this.at
  }

  get done(): boolean {
    return this.at >= this.bytes.length
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1))
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), this.origin.littleEndian)
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), this.origin.littleEndian)
  }

  i32(): number {
    return this.#view.getInt32(this.#take(4), this.origin.littleEndian)
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), this.origin.littleEndian)
  }

  /** An address or a size, as a number. */
  word(): number {
    return this.origin.ptrSize === 8 ? Number(this.u64()) : this.u32()
  }

  /** Unsigned LEB128, the varint of Go and DWARF; at most 64 bits, exact below 2^53. */
  uvarint(): number {
    let value = 0
    let scale = 1
    for (let at = this.at; at < this.bytes.length && at < this.at + 10; at++) {
      const byte = this.bytes[at]!
      value += (byte & 0x7f) * scale
      scale *= 128
      if (byte < 0x80) {
        this.at = at + 1
        return value
      }
    }
    throw this.error('a varint does not end')
  }

  take(length: number): Uint8Array {
    const at = this.#take(length)
    return this.bytes.subarray(at, at + length)
  }

  skip(length: number): void {
    this.#take(length)
  }

  /** Text up to a NUL, which is consumed. */
  cstring(): string {
    const end = this.bytes.indexOf(0, this.at)
    if (end < 0) throw this.error('text does not end')
    const text = utf8(this.bytes.subarray(this.at, end))
    this.at = end + 1
    return text
  }

  error(problem: string): FormatError {
    return new FormatError({ file: this.origin.file, section: this.origin.section, offset: this.at }, problem)
  }

  #take(length: number): number {
    const at = this.at
    if (!(length >= 0) || at + length > this.bytes.length)
      throw this.error(`${length} bytes expected, ${this.remaining} left`)
    this.at = at + length
    return at
  }
}

const decoder = new TextDecoder()

/** Bytes as text; what is not UTF-8 becomes U+FFFD. */
export function utf8(bytes: Uint8Array): string {
  return decoder.decode(bytes)
}

/** Text up to the first NUL, or all of it. */
export function fixedText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return utf8(end < 0 ? bytes : bytes.subarray(0, end))
}
