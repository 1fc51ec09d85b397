/**
 * The end of a file that was cut: an empty block, end mark, copy of the core's head, index. Then it is as good as a whole one of as
 * many bytes: found in without a scan, and not lost with its first block. What is there stays as it is, since the rest of the
 * core may yet come and be put behind it.
 */
import { FormatError } from '../base/errors.ts'
import { emptyBlock } from './block.ts'
import { hasIndex, IndexWriter } from './block-index.ts'
import { type BlockTable, type ByteFile, endOfBlock } from './block-table.ts'
import { CoreHead, formatHeadFrame } from './core-head.ts'
import { decodeData } from './decode.ts'
import { scanBlocks } from './scan.ts'

export interface CutEnd {
  /** Where the last block that can be read ends; what lies behind it is replaced. */
  readonly at: number
  readonly bytes: Buffer
}

/**
 * What ends the file, in at most `room` bytes as far as there is a choice: the copy of the head is left out where it would be too
 * much. Undefined where the file has an index, or nothing that could be ended.
 */
export function endOfCut(file: ByteFile, room = Number.POSITIVE_INFINITY): CutEnd | undefined {
  try {
    if (hasIndex(file)) return undefined
    const { table, measured } = scanBlocks(file)
    if (!measured || table.starts[table.count] === 0 || table.linked.includes(1)) return undefined
    return endBehind(file, table, room)
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return undefined
  }
}

function endBehind(file: ByteFile, table: BlockTable, room: number): CutEnd {
  const index = new IndexWriter(table.blockMax)
  let at = 0
  for (let i = 0; i < table.count; i++) {
    const length = table.starts[i + 1]! - table.starts[i]!
    // One that was ended before, and whose index is damaged, has an empty one.
    if (length === 0) continue
    index.add(table.offsets[i]!, table.words[i]!, length)
    at = endOfBlock(table, i)
  }
  const mark = Buffer.concat([emptyBlock, Buffer.alloc(4)])
  const head = headOf(file, table)
  const copy = head.length > 0 ? formatHeadFrame(head) : head
  const size = mark.length + copy.length + index.finish(0).length
  const parts = size > room ? [mark] : [mark, copy]
  const end = parts.reduce((sum, part) => sum + part.length, at)
  return { at, bytes: Buffer.concat([...parts, index.finish(end)]) }
}

/** The core's head, from as many of the first blocks as it takes; empty where one of them is damaged. */
function headOf(file: ByteFile, table: BlockTable): Buffer {
  const head = new CoreHead()
  const raw = Buffer.alloc(table.blockMax)
  try {
    for (let i = 0; i < table.count && head.isOpen; i++)
      head.feed(raw.subarray(0, decodeData(file, table, i, raw)))
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return Buffer.alloc(0)
  }
  return head.bytes
}
