/** Makes an LZ4 file as the handler does, in memory. */
import { blockBound, formatFrameHeader, IndexWriter, tailSize, writeBlock } from '../../src/lz4/index.ts'

/** `raw` as frame, end mark and index. */
export function packLz4(raw: Buffer, blockSize: number): Buffer {
  const index = new IndexWriter(blockSize)
  const parts: Buffer[] = [Buffer.from(formatFrameHeader(blockSize))]
  let offset = parts[0]!.length
  const add = (block: Buffer, store: boolean): void => {
    if (block.length === 0) return
    const output = Buffer.alloc(blockBound(block.length))
    const length = writeBlock(block, output, store)
    index.add(offset, output.readUInt32LE(0), block.length)
    parts.push(output.subarray(0, length))
    offset += length
  }
  const tail = Math.min(tailSize, raw.length)
  for (let at = 0; at < raw.length - tail; at += blockSize)
    add(raw.subarray(at, Math.min(raw.length - tail, at + blockSize)), false)
  add(raw.subarray(raw.length - tail), true)
  parts.push(Buffer.alloc(4))
  parts.push(index.finish(offset + 4))
  return Buffer.concat(parts)
}
