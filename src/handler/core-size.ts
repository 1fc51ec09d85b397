/**
 * How long a core must be, from the ELF header and program headers that come first in the stream (gABI ch. 5; Linux
 * fs/binfmt_elf.c elf_core_dump). A dump that the kernel had to break off ends like any other: only the promise tells.
 * Nothing is buffered but one header, so a process with a million mappings costs little.
 */

const PT_LOAD = 1
const PT_NOTE = 4
/** e_phnum of a file with more headers than 16 bits count: the kernel puts the number behind the data. */
const PN_XNUM = 0xffff

/** A PT_LOAD with content: where it lies in the file, and in memory. */
export interface CoreSegment {
  readonly offset: number
  readonly end: number
  /** Beyond 2^53 rounded, as of the vsyscall page. */
  readonly address: number
}

/** More mappings than the kernel's default for a process (vm.max_map_count). */
const mostSegments = 1 << 17

export class CoreSize {
  readonly #segments: CoreSegment[] = []
  #need = 64
  #held = Buffer.alloc(0)
  #read: ((bytes: Buffer) => void) | undefined
  #expected = 0
  #sections = 0
  #done = false

  constructor() {
    this.#read = bytes => this.#header(bytes)
  }

  /** True when no more bytes are of use. */
  get done(): boolean {
    return this.#done
  }

  /** Bytes that the headers promise; undefined where they didn't arrive or are no ELF core's. */
  get expected(): number | undefined {
    return this.#done && this.#expected > 0 ? this.#expected : undefined
  }

  /** Bytes before the first segment's content: headers and notes; 0 where the headers didn't arrive or tell of none. */
  get head(): number {
    return this.expected === undefined ? 0 : (this.#segments[0]?.offset ?? 0)
  }

  /** The segments that have content, in the order of their headers; none where the headers didn't arrive. */
  get segments(): readonly CoreSegment[] {
    return this.expected === undefined || this.#segments.length > mostSegments ? [] : this.#segments
  }

  /** Takes the stream's bytes in order, in pieces of any size. */
  feed(bytes: Buffer): void {
    for (let at = 0; !this.#done && at < bytes.length; ) {
      const take = Math.min(this.#need - this.#held.length, bytes.length - at)
      this.#held = Buffer.concat([this.#held, bytes.subarray(at, at + take)])
      at += take
      if (this.#held.length < this.#need) return
      const whole = this.#held
      this.#held = Buffer.alloc(0)
      this.#read!(whole)
    }
  }

  #header(bytes: Buffer): void {
    const wide = bytes[4] === 2
    const little = bytes[5] === 1
    if (bytes.readUInt32BE(0) !== 0x7f454c46 || (bytes[4] !== 1 && !wide) || (bytes[5] !== 2 && !little)) {
      this.#done = true
      return
    }
    const u16 = (b: Buffer, at: number): number => (little ? b.readUInt16LE(at) : b.readUInt16BE(at))
    const u32 = (b: Buffer, at: number): number => (little ? b.readUInt32LE(at) : b.readUInt32BE(at))
    const word = (b: Buffer, at: number): number =>
      wide ? Number(little ? b.readBigUInt64LE(at) : b.readBigUInt64BE(at)) : u32(b, at)
    const phoff = word(bytes, wide ? 32 : 28)
    const shoff = word(bytes, wide ? 40 : 32)
    const phentsize = u16(bytes, wide ? 54 : 42)
    const phnum = u16(bytes, wide ? 56 : 44)
    const shentsize = u16(bytes, wide ? 58 : 46)
    if (shoff > 0) this.#sections = shoff + Math.max(1, u16(bytes, wide ? 60 : 48)) * shentsize
    const size = wide ? 56 : 32
    // Headers right behind the ELF header, as the kernel and gdb write them.
    const skip = phoff - (wide ? 64 : 52)
    if (phentsize !== size || phnum === 0 || skip < 0 || skip > 65536) {
      this.#done = true
      return
    }
    let left = phnum === PN_XNUM ? Number.POSITIVE_INFINITY : phnum
    const program = (header: Buffer): void => {
      const offset = word(header, wide ? 8 : 4)
      const end = offset + word(header, wide ? 32 : 16)
      if (Number.isSafeInteger(end)) this.#expected = Math.max(this.#expected, end)
      if (u32(header, 0) === PT_LOAD && end > offset && this.#segments.length <= mostSegments)
        this.#segments.push({ offset, end, address: word(header, wide ? 16 : 8) })
      // The notes follow the last header, which tells the number that e_phnum can't.
      if (left === Number.POSITIVE_INFINITY && u32(header, 0) === PT_NOTE)
        left = Math.floor((offset - phoff) / size) - 1
      else left--
      if (left <= 0 || left > 1 << 24) this.#finish(left <= 0)
    }
    // Of a 32-bit file the first 64 bytes hold 12 of the first header.
    const ahead = bytes.subarray(wide ? 64 : 52)
    this.#need = size
    this.#read = program
    if (skip > 0) {
      this.#need = skip
      this.#read = () => {
        this.#need = size
        this.#read = program
      }
    }
    if (ahead.length > 0) this.feed(Buffer.from(ahead))
  }

  #finish(whole: boolean): void {
    const sections = Number.isSafeInteger(this.#sections) ? this.#sections : 0
    this.#expected = whole ? Math.max(this.#expected, sections) : 0
    this.#done = true
  }
}
