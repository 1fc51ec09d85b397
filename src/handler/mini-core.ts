/**
 * A core with a part of the memory: an ELF core like any other, whose PT_LOAD headers tell the pages that it holds (gABI
 * ch. 5). Notes, data segments, the threads' stacks and what `neededPages` finds come first, then the rest as far as there is
 * room, so that a dump cut to a hundredth still has its goroutines. Where it is not known how far the room reaches, all of it
 * is planned in that order: wherever the file then ends, it is heap that is missing.
 */
import type { CoreSegment } from './core-size.ts'
import { neededPages, type ReadMemory } from './go-ranges.ts'
import { pageSize } from './process-memory.ts'

const headerSize = 64
const programSize = 56
const PT_LOAD = 1
const PT_NOTE = 4
const NT_PRSTATUS = 1
const spOffset: Readonly<Record<number, number>> = {
  // Of elf_prstatus: pr_reg at 112; rsp is the 20th word of it on amd64 (EM_X86_64), sp the 32nd on arm64 (EM_AARCH64).
  62: 112 + 19 * 8,
  183: 112 + 31 * 8,
}
/** Segments as small are kept whole, the smaller before goroutines: data, libraries' data, vdso. */
const smallSegments = [256 << 10, 1 << 20] as const
/** More headers than e_phnum counts would need a section. */
const mostHeaders = 60_000

/** Milliseconds of processor time that the crashed process is held for the choice, however busy the machine. */
const patience = 3000

/** Where the pages of a mini-core lie. */
export interface MiniCore {
  /** ELF header, program headers and notes. */
  readonly header: Buffer
  readonly runs: readonly { offset: number; end: number; address: number }[]
  readonly end: number
}

/**
 * Plans a core of at most `most` bytes; with `andRest`, what found no place among them follows. `original` is the stream up to the first segment's content. Undefined where not even
 * the notes fit, or the core is not a 64-bit little-endian one.
 */
export function planMiniCore(
  original: Buffer,
  segments: readonly CoreSegment[],
  read: ReadMemory,
  most: number,
  andRest = false,
): MiniCore | undefined {
  if (original.length < headerSize || original[4] !== 2 || original[5] !== 1) return undefined
  const phnum = original.readUInt16LE(56)
  const phoff = Number(original.readBigUInt64LE(32))
  if (phoff + phnum * programSize > original.length || phnum > mostHeaders) return undefined
  const programs = Array.from({ length: phnum }, (_, i) =>
    original.subarray(phoff + i * programSize, phoff + (i + 1) * programSize),
  )
  const note = programs.find(program => program.readUInt32LE(0) === PT_NOTE)
  if (note === undefined) return undefined
  const noteAt = Number(note.readBigUInt64LE(8))
  const notes = original.subarray(noteAt, noteAt + Number(note.readBigUInt64LE(32)))

  const pages = new PageSet(
    segments,
    most - notes.length - headerSize - phnum * programSize * 2 - 2 * pageSize,
  )
  const addUpTo = (size: number): void => {
    for (const { address, offset, end } of segments)
      if (end - offset <= size) pages.add(address, address + (end - offset))
  }
  addUpTo(smallSegments[0])
  const data = segments
    .filter(({ offset, end }) => end - offset <= 64 << 20)
    .map(({ address, offset, end }) => ({ start: address, end: address + (end - offset) }))
    .filter(({ end }) => Number.isSafeInteger(end))
    // The runtime's variables lie in small segments, and heap before them in a program that is loaded anywhere.
    .sort((a, b) => a.end - a.start - (b.end - b.start))
  const started = process.cpuUsage()
  for (const range of neededPages(read, data, stackPointers(notes, original.readUInt16LE(18)))) {
    if (pages.isFull || process.cpuUsage(started).user > patience * 1000) break
    pages.add(range.start, range.end)
  }
  addUpTo(smallSegments[1])
  if (!andRest) addUpTo(Number.POSITIVE_INFINITY)
  return layOut(original, programs, notes, pages, andRest)
}

/** Stack pointers of all threads, the crashed one first, as the notes have them. */
function stackPointers(notes: Buffer, machine: number): number[] {
  const at = spOffset[machine]
  const found: number[] = []
  for (let offset = 0; at !== undefined && offset + 12 <= notes.length; ) {
    const nameSize = (notes.readUInt32LE(offset) + 3) & ~3
    const size = notes.readUInt32LE(offset + 4)
    const type = notes.readUInt32LE(offset + 8)
    const content = offset + 12 + nameSize
    if (type === NT_PRSTATUS && content + at + 8 <= notes.length && size >= at + 8) {
      const sp = Number(notes.readBigUInt64LE(content + at))
      if (Number.isSafeInteger(sp)) found.push(sp)
    }
    offset = content + ((size + 3) & ~3)
  }
  return found
}

interface PageRun {
  readonly start: number
  readonly end: number
  readonly isChosen: boolean
}

/** Pages of the segments that were chosen, as many as there is room for. */
class PageSet {
  readonly #segments: readonly CoreSegment[]
  readonly #chosen = new Map<CoreSegment, Uint8Array>()
  #left: number

  constructor(segments: readonly CoreSegment[], most: number) {
    // By address, for the search.
    this.#segments = [...segments].sort((a, b) => a.address - b.address)
    this.#left = Math.floor(most / pageSize)
  }

  get isFull(): boolean {
    return this.#left <= 0
  }

  add(start: number, end: number): void {
    for (let at = start; at < end; ) {
      const segment = this.#segmentAt(at)
      if (segment === undefined) return
      const stop = Math.min(end, segment.address + (segment.end - segment.offset))
      let bits = this.#chosen.get(segment)
      if (bits === undefined) {
        bits = new Uint8Array((segment.end - segment.offset) / pageSize)
        this.#chosen.set(segment, bits)
      }
      const last = Math.ceil((stop - segment.address) / pageSize)
      for (let page = Math.floor((at - segment.address) / pageSize); page < last; page++) {
        if (bits[page] === 1) continue
        if (this.#left <= 0) return
        bits[page] = 1
        this.#left--
      }
      at = stop
    }
  }

  /** Runs of pages of the segment that begins at `offset`, as addresses in their order: of chosen ones, and of the others. */
  runs(offset: number): PageRun[] {
    const segment = this.#segments.find(candidate => candidate.offset === offset)
    const runs: PageRun[] = []
    if (segment === undefined) return runs
    const { address } = segment
    const bits = this.#chosen.get(segment)
    const count = (segment.end - segment.offset) / pageSize
    if (bits === undefined) return [{ start: address, end: address + count * pageSize, isChosen: false }]
    for (let page = 0; page < count; ) {
      const from = page
      while (page < count && bits[page] === bits[from]) page++
      const isChosen = bits[from] === 1
      runs.push({ start: address + from * pageSize, end: address + page * pageSize, isChosen })
    }
    return runs
  }

  #segmentAt(address: number): CoreSegment | undefined {
    let low = 0
    let high = this.#segments.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const segment = this.#segments[middle]!
      if (address < segment.address) high = middle - 1
      else if (address >= segment.address + (segment.end - segment.offset)) low = middle + 1
      else return segment
    }
    return undefined
  }
}

function layOut(
  original: Buffer,
  programs: readonly Buffer[],
  notes: Buffer,
  pages: PageSet,
  andRest: boolean,
): MiniCore | undefined {
  const headers: Buffer[] = []
  const loads: { header: Buffer; address: number; size: number; isChosen: boolean }[] = []
  for (const program of programs) {
    const size = Number(program.readBigUInt64LE(32))
    if (program.readUInt32LE(0) !== PT_LOAD || size === 0) {
      headers.push(Buffer.from(program))
      continue
    }
    for (const { start, end, isChosen } of pages.runs(Number(program.readBigUInt64LE(8)))) {
      if (!isChosen && !andRest) continue
      const header = Buffer.from(program)
      header.writeBigUInt64LE(BigInt(start), 16)
      // Nothing is said of what lies behind: it is not zeros.
      for (const at of [32, 40]) header.writeBigUInt64LE(BigInt(end - start), at)
      headers.push(header)
      loads.push({ header, address: start, size: end - start, isChosen })
    }
  }
  if (headers.length > mostHeaders) return undefined
  const noteAt = headerSize + headers.length * programSize
  let offset = Math.ceil((noteAt + notes.length) / pageSize) * pageSize
  const headerEnd = offset
  // Headers by address, as gABI wants them; the file in the order of need.
  const ordered = [...loads.filter(load => load.isChosen), ...loads.filter(load => !load.isChosen)]
  const runs = ordered.map(({ header, address, size }) => {
    header.writeBigUInt64LE(BigInt(offset), 8)
    const run = { offset, end: offset + size, address }
    offset += size
    return run
  })
  headers.find(header => header.readUInt32LE(0) === PT_NOTE)!.writeBigUInt64LE(BigInt(noteAt), 8)
  const elf = Buffer.from(original.subarray(0, headerSize))
  elf.writeBigUInt64LE(BigInt(headerSize), 32)
  elf.writeUInt16LE(headers.length, 56)
  // No sections: they count headers beyond 16 bits.
  elf.writeBigUInt64LE(0n, 40)
  elf.fill(0, 58, 64)
  const header = Buffer.alloc(headerEnd)
  Buffer.concat([elf, ...headers, notes]).copy(header)
  return { header, runs, end: offset }
}
