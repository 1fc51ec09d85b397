/** A piece that is not made of whole bytes (DW_OP_bit_piece): its bits, moved down to begin a byte. */
import { OptimizedOut, type Place } from '../type/place.ts'

/** `size` bits from bit `offset` of `place`, counted from the least significant; read as a little-endian number. */
export function bitsPlace(place: Place, offset: number, size: number): Place {
  return {
    read(at, length) {
      const first = Math.floor(offset / 8)
      const bytes = place.read(first, Math.ceil((offset + size) / 8) - first)
      const whole = [...bytes].reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
      const value = BigInt.asUintN(size, whole >> BigInt(offset % 8))
      if (at < 0 || at + length > Math.ceil(size / 8)) throw new OptimizedOut()
      return Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (at + i))) & 255n))
    },
  }
}
