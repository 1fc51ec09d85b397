/** Looking through a program's data, word by word. */
import type { Memory } from './memory.ts'

const chunkSize = 1 << 20
const page = 4096
/** Bytes of a program's data; what is larger is .bss of zeros, or said by damaged headers and tables. */
export const maxScan = 256 << 20

/** Addresses of aligned words equal to `value` in the first quarter of a gigabyte of `[start, last)`; holes are passed over. */
export function* scanWords(memory: Memory, start: number, last: number, value: number): Generator<number> {
  const { ptrSize, littleEndian } = memory
  if (!(last <= Number.MAX_SAFE_INTEGER)) return
  const end = Math.min(last, start + maxScan)
  const low = value % 0x100000000
  const high = Math.floor(value / 0x100000000)
  for (const { base, bytes } of pieces(memory, start, end)) {
    const words = halves(bytes, ptrSize, littleEndian)
    const { at32 } = words
    const step = ptrSize / 4
    for (let i = 0; i + step <= at32.length; i += step)
      if (at32[i + words.low] === low && (step === 1 || at32[i + words.high] === high)) yield base + i * 4
  }
}

const hostIsLittle = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1

/**
 * Bytes as 32-bit numbers, and which of a word's are its low and its high half. Scans look at every word of a program's
 * data, mostly before the compiler has got to them, and then an array is several times as fast as a DataView.
 */
export function halves(
  bytes: Uint8Array,
  ptrSize: number,
  littleEndian: boolean,
): { at32: Uint32Array; low: number; high: number } {
  const [low, high] = ptrSize === 8 ? (littleEndian ? [0, 1] : [1, 0]) : [0, 0]
  const count = bytes.length >>> 2
  if (hostIsLittle === littleEndian && bytes.byteOffset % 4 === 0)
    return { at32: new Uint32Array(bytes.buffer, bytes.byteOffset, count), low, high }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return {
    at32: Uint32Array.from({ length: count }, (_, i) => view.getUint32(i * 4, littleEndian)),
    low,
    high,
  }
}

/**
 * A range piece by piece, without those of which nothing is there; of the others zeros stand for missing pages. Each reaches
 * `more` bytes into the next one.
 */
export function* pieces(
  memory: Memory,
  start: number,
  end: number,
  more = 0,
): Generator<{ base: number; bytes: Uint8Array }> {
  for (let base = start; base < end; base += chunkSize) {
    const size = Math.min(chunkSize + more, end - base)
    if (hasAny(memory, base, size)) yield { base, bytes: readable(memory, base, size) }
  }
}

function hasAny(memory: Memory, addr: number, length: number): boolean {
  for (let at = addr; at < addr + length; at += page - (at % page)) if (memory.has(at, 1)) return true
  return false
}

/** The bytes of a range with zeros for the pages that are missing. */
export function readable(memory: Memory, addr: number, length: number): Uint8Array {
  const whole = memory.tryRead(addr, length)
  if (whole) return whole
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; ) {
    const size = Math.min(page - ((addr + at) % page), length - at)
    const part = memory.tryRead(addr + at, size)
    if (part) bytes.set(part, at)
    at += size
  }
  return bytes
}
