/**
 * Fixed-size records as tables. A table is written once, in the order and words of its specification, and gives the
 * record's size, its offsets and its reader; the byte order is the reader's argument, so that one table serves both.
 */

const sizes = { u8: 1, u16: 2, u32: 4, i32: 4, u64: 8, i64: 8 } as const
export type FieldType = keyof typeof sizes
export type Fields = Readonly<Record<string, FieldType>>

export interface RecordLayout<F extends Fields> {
  readonly size: number
  readonly offsets: { readonly [K in keyof F]: number }
  /** Decodes the record at `at`. The caller has checked that `size` bytes are there. */
  read(view: DataView, at: number, littleEndian: boolean): { [K in keyof F]: number }
  /** The reader's mirror, for tests that lay files by hand. */
  write(view: DataView, at: number, littleEndian: boolean, value: { [K in keyof F]: number }): void
}

/**
 * Fields at their natural alignment, as C lays them out. 64-bit values come as numbers: file offsets and user-space
 * addresses are below 2^53; what is not, is rounded, and no bound check will let it pass.
 */
export function record<const F extends Fields>(fields: F): RecordLayout<F> {
  const names = Object.keys(fields) as (keyof F & string)[]
  const offsets = {} as Record<string, number>
  let size = 0
  let align = 1
  for (const name of names) {
    const width = sizes[fields[name]!]
    size = Math.ceil(size / width) * width
    offsets[name] = size
    size += width
    align = Math.max(align, width)
  }
  size = Math.ceil(size / align) * align
  return {
    size,
    offsets: offsets as { [K in keyof F]: number },
    read(view, at, littleEndian) {
      const value = {} as { [K in keyof F]: number }
      for (const name of names)
        value[name] = readField(view, at + offsets[name]!, fields[name]!, littleEndian)
      return value
    },
    write(view, at, littleEndian, value) {
      for (const name of names)
        writeField(view, at + offsets[name]!, fields[name]!, littleEndian, value[name])
    },
  }
}

function readField(view: DataView, at: number, type: FieldType, little: boolean): number {
  switch (type) {
    case 'u8':
      return view.getUint8(at)
    case 'u16':
      return view.getUint16(at, little)
    case 'u32':
      return view.getUint32(at, little)
    case 'i32':
      return view.getInt32(at, little)
    case 'u64':
      return Number(view.getBigUint64(at, little))
    case 'i64':
      return Number(view.getBigInt64(at, little))
  }
}

function writeField(view: DataView, at: number, type: FieldType, little: boolean, value: number): void {
  if (type === 'u8') view.setUint8(at, value)
  else if (type === 'u16') view.setUint16(at, value, little)
  else if (type === 'u32') view.setUint32(at, value, little)
  else if (type === 'i32') view.setInt32(at, value, little)
  else view.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), little)
}

/** A DataView over the same bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** The same bytes in memory that nothing else shares: not copied where they are alone in theirs already. */
export function ownBytes(bytes: Uint8Array): Uint8Array<ArrayBufferLike> {
  return bytes.byteLength === bytes.buffer.byteLength ? new Uint8Array(bytes.buffer) : copyOf(bytes)
}

/** A copy in memory of its own. Not `slice()`, which is a view where a source hands out a Node Buffer. */
export function copyOf(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes)
}
