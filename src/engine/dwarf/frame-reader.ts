/**
 * A position in frame tables that may lie in a file's section or in the memory of the dead process. In memory the
 * addresses that the tables count from themselves (DW_EH_PE_pcrel) are the process's own, so no load bias is needed.
 * Running off the end throws FormatError; whoever looks a frame up turns that into "no table for this address".
 */
import { Cursor, type CursorOrigin } from '../bytes/cursor.ts'
import { Pe } from './constants.ts'
import { readSleb, readUleb } from './leb128.ts'

export class FrameReader extends Cursor {
  /** Address of the first byte. */
  readonly base: number

  constructor(bytes: Uint8Array, origin: CursorOrigin, base: number, at = 0) {
    super(bytes, origin, at)
    this.base = base
  }

  get addr(): number {
    return this.base + this.at
  }

  /** Unsigned LEB128 as 64 bits. */
  uleb(): bigint {
    return readUleb(this)
  }

  /** Signed LEB128 as 64 bits. */
  sleb(): bigint {
    return readSleb(this)
  }

  /**
   * A pointer as LSB 5.0 core, 10.5.1 encodes it. `bases.data` is the start of `.eh_frame_hdr`. An indirect pointer
   * comes as the address where the pointer lies: nothing that we look up is behind one.
   */
  pointer(encoding: number, bases: { data?: number; func?: number } = {}): number {
    if (encoding === Pe.omit) return 0
    const start = this.addr
    const value = this.#value(encoding)
    // An offset of 0 means no pointer whatever it counts from (unwind-pe.h read_encoded_value_with_base).
    if (value === 0) return 0
    switch (encoding & Pe.baseMask) {
      case Pe.pcrel:
        return start + value
      case Pe.datarel:
        return (bases.data ?? 0) + value
      case Pe.funcrel:
        return (bases.func ?? 0) + value
      default:
        return value
    }
  }

  #value(encoding: number): number {
    switch (encoding & Pe.formatMask) {
      case Pe.absptr:
        return this.word()
      case Pe.uleb128:
        return Number(this.uleb())
      case Pe.udata2:
        return this.u16()
      case Pe.udata4:
        return this.u32()
      case Pe.udata8:
        return Number(this.u64())
      case Pe.sleb128:
        return Number(this.sleb())
      case Pe.sdata2:
        return (this.u16() << 16) >> 16
      case Pe.sdata4:
        return this.i32()
      case Pe.sdata8:
        return Number(BigInt.asIntN(64, this.u64()))
      default:
        throw this.error(`unknown pointer encoding 0x${encoding.toString(16)}`)
    }
  }
}
