/** Decodes single blocks of a file, with their checksums. */
import { FormatError } from '../base/errors.ts'
import { readBlock } from './block.ts'
import type { BlockTable, ByteFile } from './block-table.ts'
import { storedBit } from './frame.ts'
import { xxh32 } from './native.ts'

/** The stored bytes of block `i`, their checksum compared where there is one. */
export function blockData(file: ByteFile, table: BlockTable, i: number): Buffer {
  const offset = table.offsets[i]!
  const length = (table.words[i]! & ~storedBit) >>> 0
  const checked = table.checksums[i] === 1
  const bytes = file.read(offset + 4, length + (checked ? 4 : 0))
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (buffer.length < length + (checked ? 4 : 0)) throw damaged(file, offset, `block ${i} is cut short`)
  const data = buffer.subarray(0, length)
  if (checked && xxh32(data) !== buffer.readUInt32LE(length))
    throw damaged(file, offset, `the checksum of block ${i} is wrong`)
  return data
}

/** Decodes the independent block `i` into `output`; answers how much content it holds. */
export function decodeData(file: ByteFile, table: BlockTable, i: number, output: Buffer): number {
  const length = readBlock(table.words[i]!, blockData(file, table, i), output)
  if (length < 0) throw damaged(file, table.offsets[i]!, `block ${i} can't be decompressed`)
  return length
}

/** Offsets in a match are 16 bits wide, so this much of what came before is all that a linked block can mean. */
const historySize = 65535

/**
 * Decodes all blocks in order, linked ones too, and hands out the content piece by piece; a piece is overwritten by
 * the next. Throws FormatError at the first damaged block.
 */
export function* decodeInOrder(file: ByteFile, table: BlockTable): Generator<Buffer> {
  const output = Buffer.alloc(historySize + 4 + table.blockMax)
  let history = Buffer.alloc(0)
  for (let i = 0; i < table.count; i++) {
    const data = blockData(file, table, i)
    const word = table.words[i]!
    const refers = table.linked[i] === 1 && (word & storedBit) === 0
    // Fewer than four bytes of history can't be put in front; zeros before them are out of any honest match's reach.
    if (refers && history.length < 4) history = Buffer.concat([Buffer.alloc(4), history])
    const before = refers ? history.length + 4 : 0
    const length = readBlock(word, refers ? withHistory(history, data) : data, output)
    if (length < before) throw damaged(file, table.offsets[i]!, `block ${i} can't be decompressed`)
    const content = output.subarray(before, length)
    yield content
    if (i + 1 < table.count && table.linked[i + 1] === 1)
      history = Buffer.from(Buffer.concat([history, content]).subarray(-historySize))
    else history = Buffer.alloc(0)
  }
}

/**
 * The native decoder takes no dictionary, so the history becomes a sequence in front of the block that decodes to
 * itself: its last four bytes and the rest as literals, then a match that copies those four bytes to the end,
 * which leaves exactly the history before the block's own first byte.
 */
function withHistory(history: Buffer, data: Buffer): Buffer {
  const literals = Buffer.concat([history.subarray(-4), history.subarray(0, -4)])
  const token: number[] = []
  if (literals.length < 15) token.push(literals.length << 4)
  else {
    token.push(0xf0)
    let rest = literals.length - 15
    for (; rest >= 255; rest -= 255) token.push(255)
    token.push(rest)
  }
  return Buffer.concat([
    Buffer.from(token),
    literals,
    Buffer.from([literals.length & 0xff, literals.length >>> 8]),
    data,
  ])
}

const damaged = (file: ByteFile, offset: number, problem: string): FormatError =>
  new FormatError({ file: file.name, section: 'LZ4 block', offset }, problem)
