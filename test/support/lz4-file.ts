/** Makes an LZ4 file as the handler does, in memory. */
import { Lz4Writer } from '../../src/lz4/index.ts'

/** `raw` as frame, end mark and index. */
export function packLz4(raw: Buffer, blockSize: number): Buffer {
  const parts: Buffer[] = []
  const writer = new Lz4Writer({ write: bytes => parts.push(Buffer.from(bytes)) }, blockSize)
  let at = 0
  for (; at + blockSize < raw.length; at += blockSize) writer.add(raw.subarray(at, at + blockSize))
  writer.finish(raw.subarray(at))
  return Buffer.concat(parts)
}
