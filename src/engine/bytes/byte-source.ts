/**
 * Where the engine's bytes come from. The engine does no IO of its own: whoever opens a file, a
 * compressed core or a range of an object store hands one of these in.
 */
export interface ByteSource {
  /** What to call it in messages: a path, an id. */
  readonly name: string
  /** Length in bytes. */
  readonly size: number
  /**
   * The bytes `[offset, offset + length)`, fewer at the end of the source, none beyond it. The result may be a
   * view that the source owns: read it, don't write it, and copy what must outlive the next `read`.
   */
  read(offset: number, length: number): Uint8Array
}

/** A source over bytes that are in memory already. */
export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    read: (offset, length) =>
      bytes.subarray(Math.max(0, offset), Math.max(0, Math.min(bytes.length, offset + length))),
  }
}
