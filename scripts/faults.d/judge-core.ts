/**
 * Whether a core is what its manifest says: by what the process had, and by the core's own headers, read here once more and
 * not by what the handler reads them with.
 */
import type { StoredCore } from '../../src/archive/manifest.ts'
import { FormatError, reasonOf } from '../../src/base/errors.ts'
import { type OpenSource, openCoreFile } from '../../src/source/index.ts'
import type { Piece, Truth } from './truth.ts'

const pieceSize = 64 * 1024
/** Content of a block of ours, which is looked at as a whole where it can be read. */
const blockSize = 1 << 20
const PT_LOAD = 1
const PT_NOTE = 4
const NT_PRSTATUS = 1
const PN_XNUM = 0xffff

/** A sentence for what is wrong, or undefined. `path` is the core's file. */
export function faultOf(core: StoredCore, path: string | undefined, truth: Truth): string | undefined {
  if (core.state === 'none') return undefined
  if (path === undefined) return `it is ${core.state} and has no core`
  let source: OpenSource
  try {
    source = openCoreFile(path)
  } catch (error) {
    const isSaid = core.state === 'truncated' && core.raw_size === 0
    return isSaid ? undefined : `it is ${core.state}, and its core can't be read: ${reasonOf(error)}`
  }
  using _ = source
  try {
    return new Judge(core, source, truth).fault()
  } catch (error) {
    return `it makes no sense: ${reasonOf(error)}`
  }
}

interface Segment {
  readonly address: number
  readonly offset: number
  readonly size: number
}

interface Headers {
  /** Bytes that they promise. */
  readonly promised: number
  readonly loads: readonly Segment[]
  readonly threads: number
}

class Judge {
  readonly #core: StoredCore
  readonly #source: OpenSource
  readonly #truth: Truth

  constructor(core: StoredCore, source: OpenSource, truth: Truth) {
    this.#core = core
    this.#source = source
    this.#truth = truth
  }

  fault(): string | undefined {
    const { state, raw_size, lost_size = 0 } = this.#core
    const { size } = this.#source
    if (size !== raw_size) return `it says ${raw_size} bytes and holds ${size}`
    const lost = this.#unreadable()
    if (lost !== lost_size) return `${lost} bytes can't be read, and it says ${lost_size}`
    const headers = this.#headers()
    return (
      (state === 'complete' ? this.#notWhole(headers) : this.#notCut(headers, lost)) ??
      this.#differsFromStream() ??
      this.#differsFromMemory(headers)
    )
  }

  /** Why it should not be called complete. */
  #notWhole(headers: Headers | undefined): string | undefined {
    const { size } = this.#source
    const promised = this.#truth.stream?.length ?? headers?.promised
    if (promised === undefined) return `it is called complete, and ${size} bytes hold no whole headers`
    if (size !== promised) return `it is called complete with ${size} of ${promised} bytes`
    const { threads } = this.#truth
    if (threads !== undefined && headers?.threads !== threads)
      return `it is called complete with ${headers?.threads} of ${threads} threads`
    return undefined
  }

  /** Why it should not be called cut, or not like that. */
  #notCut(headers: Headers | undefined, lost: number): string | undefined {
    const { expected_size: expected, reason } = this.#core
    const { size } = this.#source
    const { stream } = this.#truth
    if (reason === undefined) return 'it is called cut without a reason'
    // One that was put together anew has headers of its own.
    const isOwn = stream === undefined && headers !== undefined && headers.promised !== expected
    if (stream !== undefined && expected !== undefined && expected !== stream.length)
      return `it says that ${expected} bytes were to come, of ${stream.length}`
    if (lost === 0 && !isOwn && size === (stream?.length ?? headers?.promised))
      return `it is called cut (${reason}), and all of its ${size} bytes are there`
    return expected !== undefined && size > expected ? `it has ${size} of ${expected} bytes` : undefined
  }

  #differsFromStream(): string | undefined {
    const { stream } = this.#truth
    for (let at = 0; stream !== undefined && at < this.#source.size; at += pieceSize) {
      const got = this.#read(at, pieceSize)
      if (got !== undefined && !got.equals(stream.subarray(at, at + got.length)))
        return `it differs from what the kernel wrote in bytes ${at} to ${at + got.length}`
    }
    return undefined
  }

  #differsFromMemory(headers: Headers | undefined): string | undefined {
    if (this.#truth.memory === undefined || headers === undefined) return undefined
    for (const piece of this.#truth.memory()) {
      const fault = this.#faultIn(piece, headers)
      if (fault !== undefined) return fault
    }
    return undefined
  }

  #faultIn({ address, bytes }: Piece, { loads }: Headers): string | undefined {
    let covered = 0
    for (const load of segmentsAt(loads, address, bytes.length)) {
      const from = Math.max(address, load.address)
      const until = Math.min(address + bytes.length, load.address + load.size)
      const at = load.offset + (from - load.address)
      const there = Math.min(until - from, this.#source.size - at)
      if (there <= 0) continue
      const got = this.#read(at, there)
      covered += there
      if (got?.equals(bytes.subarray(from - address, from - address + there)) === false)
        return `its memory at 0x${from.toString(16)} is not what the process had there`
    }
    return this.#core.state === 'complete' && covered < bytes.length
      ? `it is called complete, and has ${covered} of ${bytes.length} bytes at 0x${address.toString(16)}`
      : undefined
  }

  /** Bytes in pieces that can't be read: of blocks that storage did not keep. */
  #unreadable(): number {
    let lost = 0
    const { size } = this.#source
    for (let block = 0; block < size; block += blockSize) {
      if (this.#read(block, blockSize) !== undefined) continue
      for (let at = block; at < Math.min(size, block + blockSize); at += pieceSize)
        if (this.#read(at, pieceSize) === undefined) lost += Math.min(pieceSize, size - at)
    }
    return lost
  }

  /** A view, good until the next read; undefined where a block of it can't be read. */
  #read(at: number, length: number): Buffer | undefined {
    try {
      const bytes = this.#source.read(at, Math.min(length, this.#source.size - at))
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    } catch (error) {
      if (error instanceof FormatError) return undefined
      throw error
    }
  }

  /** Undefined where they are not all there. The gABI's fields of a 64-bit little-endian file, chapters 4 and 5. */
  #headers(): Headers | undefined {
    const elf = Buffer.from(this.#read(0, 64) ?? [])
    if (elf.length < 64 || elf.readUInt32BE(0) !== 0x7f454c46) return undefined
    const count = elf.readUInt16LE(56) === PN_XNUM ? this.#countBehind(elf) : elf.readUInt16LE(56)
    if (count === undefined) return undefined
    const table = Buffer.from(this.#read(Number(elf.readBigUInt64LE(32)), count * 56) ?? [])
    if (table.length < count * 56) return undefined
    const loads: Segment[] = []
    let promised = 0
    let threads = 0
    for (let at = 0; at < table.length; at += 56) {
      const word = (field: number): number => Number(table.readBigUInt64LE(at + field))
      const [offset, address, size] = [word(8), word(16), word(32)]
      promised = Math.max(promised, offset + size)
      const type = table.readUInt32LE(at)
      if (type === PT_LOAD && size > 0) loads.push({ address, offset, size })
      if (type === PT_NOTE) threads = countThreads(this.#read(offset, size))
    }
    if (elf.readUInt16LE(56) === PN_XNUM) promised += 64
    return { promised, loads: loads.sort((a, b) => a.address - b.address), threads }
  }

  /** More headers than 16 bits count: in sh_info of the only section, which the kernel writes last. */
  #countBehind(elf: Buffer): number | undefined {
    const section = this.#read(Number(elf.readBigUInt64LE(40)), 64)
    return section?.length === 64 ? section.readUInt32LE(44) : undefined
  }
}

function countThreads(notes: Buffer | undefined): number {
  let threads = 0
  for (let at = 0; notes !== undefined && at + 12 <= notes.length; ) {
    if (notes.readUInt32LE(at + 8) === NT_PRSTATUS) threads++
    at += 12 + ((notes.readUInt32LE(at) + 3) & ~3) + ((notes.readUInt32LE(at + 4) + 3) & ~3)
  }
  return threads
}

/** Those that hold a part of `[address, address + length)`; `loads` are ordered. */
function segmentsAt(loads: readonly Segment[], address: number, length: number): Segment[] {
  let low = 0
  let high = loads.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (loads[middle]!.address + loads[middle]!.size <= address) low = middle + 1
    else high = middle
  }
  const found: Segment[] = []
  for (let i = low; i < loads.length && loads[i]!.address < address + length; i++) found.push(loads[i]!)
  return found
}
