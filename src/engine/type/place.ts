/**
 * Where a value's bytes are: in memory, in registers, as a constant, or in pieces of all of these (DW_OP_piece). A
 * place has no length of its own: the type that is read there has.
 */
import { MemoryFault, SinkError } from '../../base/errors.ts'
import type { Memory } from '../core/memory.ts'

export interface Place {
  /** Address of the first byte, for what lies in memory as a whole. */
  readonly addr?: number
  /** A copy of `length` bytes from byte `offset`; throws MemoryFault or OptimizedOut. */
  read(offset: number, length: number): Uint8Array
  /** What is said of it beside the value: `found in the caller's spill slot`. */
  readonly notes?: readonly string[]
  /** Of a string constant, which is a string without memory to point to: its bytes. */
  readonly text?: Uint8Array
}

/** The value, or a part of it, is nowhere: the compiler kept none or its register is lost. */
export class OptimizedOut extends SinkError {
  constructor(message = 'optimized out') {
    super('NOT_FOUND', message)
  }
}

export function memoryPlace(memory: Memory, addr: number, notes?: readonly string[]): Place {
  const read = (offset: number, length: number): Uint8Array => memory.read(addr + offset, length)
  return notes ? { addr, read, notes } : { addr, read }
}

/** Constants and whole registers; bytes beyond its end are optimised out. */
export function bytesPlace(bytes: Uint8Array, notes?: readonly string[]): Place {
  const read = (offset: number, length: number): Uint8Array => {
    if (!(offset >= 0 && length >= 0 && offset + length <= bytes.length)) throw new OptimizedOut()
    return bytes.slice(offset, offset + length)
  }
  return notes ? { read, notes } : { read }
}

/** The place of a string constant. */
export function textPlace(text: Uint8Array): Place {
  return { ...missingPlace('a constant has no header'), text }
}

/** A place that has nothing: every read throws OptimizedOut with this reason. */
export function missingPlace(why?: string): Place {
  return {
    read() {
      throw new OptimizedOut(why)
    },
  }
}

/** Consecutive bytes of a composite: `place` undefined where that piece is optimised out. */
export interface Piece {
  readonly size: number
  readonly place: Place | undefined
}

/** Pieces one behind the other. Reads that touch only known pieces succeed. */
export function compositePlace(pieces: readonly Piece[], notes?: readonly string[]): Place {
  const read = (offset: number, length: number): Uint8Array => {
    if (!(offset >= 0 && length >= 0 && length < maxRead)) throw new OptimizedOut()
    const result = new Uint8Array(length)
    let done = 0
    let start = 0
    for (const { size, place } of pieces) {
      const from = Math.max(offset + done, start)
      const to = Math.min(offset + length, start + size)
      if (from < to) {
        if (!place) throw new OptimizedOut()
        result.set(place.read(from - start, to - from), from - offset)
        done = to - offset
      }
      start += size
    }
    if (done < length) throw new OptimizedOut()
    return result
  }
  return notes ? { read, notes } : { read }
}

/** The place `offset` bytes into another. */
export function placeAt(place: Place, offset: number): Place {
  if (offset === 0) return place
  const read = (at: number, length: number): Uint8Array => place.read(offset + at, length)
  return {
    ...(place.addr === undefined ? {} : { addr: place.addr + offset }),
    read,
    ...(place.notes ? { notes: place.notes } : {}),
  }
}

/** Why a read failed, for `(unreadable …)`; rethrows what is not about reading. */
export function whyUnreadable(error: unknown): string {
  if (error instanceof OptimizedOut || error instanceof MemoryFault) return error.message
  throw error
}

/** A composite is a handful of registers: more is damage. */
const maxRead = 1 << 20
