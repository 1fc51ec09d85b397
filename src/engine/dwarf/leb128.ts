/** LEB128 of 64 bits, DWARF 5 section 7.6, for readers of whatever bytes. */

interface ByteReader {
  u8(): number
  error(problem: string): Error
}

/** Unsigned. */
export function readUleb(reader: ByteReader): bigint {
  return BigInt.asUintN(64, readLeb(reader).value)
}

/** Signed. */
export function readSleb(reader: ByteReader): bigint {
  const { value, bits, negative } = readLeb(reader)
  return BigInt.asIntN(64, negative ? value - (1n << bits) : value)
}

/** `negative`: the highest bit of the last byte is set. */
function readLeb(reader: ByteReader): { value: bigint; bits: bigint; negative: boolean } {
  let value = 0n
  for (let bits = 7n; bits <= 70n; bits += 7n) {
    const byte = reader.u8()
    value |= BigInt(byte & 127) << (bits - 7n)
    if (byte < 128) return { value, bits, negative: (byte & 64) !== 0 }
  }
  throw reader.error('a LEB128 number does not end')
}
