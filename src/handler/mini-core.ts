/**
 * A core with a part of the memory: an ELF core like any other, whose PT_LOAD headers tell the pages that it holds (gABI
 * ch. 5). Notes and what `neededPages` finds come first, then the rest as far as there is room, so that a dump cut to a
 * hundredth still has its goroutines. Where it is not known how far the room reaches, all of it is planned in that order:
 * wherever the file then ends, it is heap that is missing.
 */
import { formatPartNote } from '../archive/part-note.ts'
import { alignUp } from '../base/align.ts'
import type { CoreSegment } from './core-size.ts'
import { neededPages, type ReadMemory, type ThreadPlace } from './go-ranges.ts'
import { PageSet, programSize } from './page-set.ts'
import { pageSize } from './process-memory.ts'

const headerSize = 64
const PT_LOAD = 1
const PT_NOTE = 4
const NT_PRSTATUS = 1
const pr = (register: number): number => 112 + register * 8
/**
 * Of elf_prstatus, whose registers begin at 112 (asm/ptrace.h): the stack pointer, and whence the goroutine is known: on
 * amd64 (EM_X86_64) it lies before what fs_base points to, on arm64 (EM_AARCH64) it is in x28.
 */
const places: Readonly<Record<number, { sp: number; tls?: number; g?: number; end: number }>> = {
  62: { sp: pr(19), tls: pr(21), end: pr(27) },
  183: { sp: pr(31), g: pr(28), end: pr(34) },
}
/** Segments as small are kept whole behind goroutines. */
const smallSegment = 1 << 20
/** More headers than e_phnum counts would need a section. */
const mostHeaders = 60_000

/** Milliseconds of processor time that the crashed process is held for the choice, however busy the machine. */
const patience = 3000
/** Of these, for the search for goroutines: who has many threads and none has their stacks. */
const searchPatience = 1500

/** Where the pages of a mini-core lie. */
export interface MiniCore {
  /** ELF header, program headers and notes. */
  readonly header: Buffer
  readonly runs: readonly { offset: number; end: number; address: number }[]
  readonly end: number
}

/**
 * Plans a core of at most `most` bytes, or of headers and notes where these take more; with `andRest`, what found no place among
 * them follows. `original` is the stream up to the first segment's content. Undefined where the core is not a 64-bit
 * little-endian one, as the kernel writes it.
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
  if (!segments.every(isInPlace)) return undefined
  const programs = Array.from({ length: phnum }, (_, i) =>
    original.subarray(phoff + i * programSize, phoff + (i + 1) * programSize),
  )
  const note = programs.find(program => program.readUInt32LE(0) === PT_NOTE)
  if (note === undefined) return undefined
  const noteAt = Number(note.readBigUInt64LE(8))
  const whole = original.subarray(noteAt, noteAt + Number(note.readBigUInt64LE(32)))
  const kept = !andRest && whole.length > most / 4 ? thinNotes(whole) : whole
  // All of it in another order is not a part.
  const notes = andRest ? kept : Buffer.concat([kept, formatPartNote(endOf(segments))])

  const pages = new PageSet(segments, most - notes.length - headerSize - phnum * programSize - 2 * pageSize)
  const addUpTo = (size: number): void => {
    for (const { address, offset, end } of segments)
      if (end - offset <= size) pages.add(address, address + (end - offset))
  }
  const data = segments
    .filter(({ offset, end }) => end - offset <= 64 << 20)
    .map(({ address, offset, end }) => ({ start: address, end: address + (end - offset) }))
    .filter(({ end }) => Number.isSafeInteger(end))
    // The runtime's variables lie in small segments, and heap before them in a program that is loaded anywhere.
    .sort((a, b) => a.end - a.start - (b.end - b.start))
  const threads = threadsOf(notes, original.readUInt16LE(18))
  const spent = stopwatch()
  const isOver = (): boolean => spent() > searchPatience
  for (const range of neededPages({ read, data, threads, room: pages.room, isOver })) {
    if (pages.isFull || spent() > patience) break
    pages.add(range.start, range.end)
  }
  addUpTo(smallSegment)
  if (!andRest) addUpTo(Number.POSITIVE_INFINITY)
  return layOut(original, programs, notes, pages, andRest)
}

/** Milliseconds of this thread's processor time since it was made. */
function stopwatch(): () => number {
  const began = process.threadCpuUsage()
  return () => {
    const { user, system } = process.threadCpuUsage(began)
    return (user + system) / 1000
  }
}

/** The kernel writes segments one behind the other, of addresses that there are, and no address space fills 2^53 bytes. */
const isInPlace = ({ address, offset, end }: CoreSegment, i: number, all: readonly CoreSegment[]): boolean =>
  offset >= (all[i - 1]?.end ?? 0) && Number.isSafeInteger(end) && address + (end - offset) <= 2 ** 64

const endOf = (segments: readonly CoreSegment[]): number =>
  segments.reduce((most, { end }) => Math.max(most, end), 0)

/** One note: where it lies, and its content. */
interface Note {
  readonly type: number
  readonly start: number
  readonly content: number
  readonly size: number
  readonly end: number
}

function* notesIn(notes: Buffer): Generator<Note> {
  for (let start = 0; start + 12 <= notes.length; ) {
    const content = start + 12 + alignUp(notes.readUInt32LE(start), 4)
    const size = notes.readUInt32LE(start + 4)
    const end = content + alignUp(size, 4)
    if (end > notes.length) return
    yield { type: notes.readUInt32LE(start + 8), start, content, size, end }
    start = end
  }
}

/** All notes of the process and of the first thread, and of the others those with the general registers: an extended state takes 11 KB. */
function thinNotes(notes: Buffer): Buffer {
  const kept: Buffer[] = []
  let threads = 0
  for (const { type, start, end } of notesIn(notes)) {
    if (type === NT_PRSTATUS) threads++
    if (threads < 2 || type === NT_PRSTATUS) kept.push(notes.subarray(start, end))
  }
  return Buffer.concat(kept)
}

/** The threads as the notes have them: the crashed one first. */
function threadsOf(notes: Buffer, machine: number): ThreadPlace[] {
  const place = places[machine]
  const found: ThreadPlace[] = []
  if (place === undefined) return found
  for (const { type, content, size } of notesIn(notes)) {
    if (type !== NT_PRSTATUS || size < place.end) continue
    const wordAt = (at: number): number => Number(notes.readBigUInt64LE(content + at))
    const sp = wordAt(place.sp)
    if (!Number.isSafeInteger(sp)) continue
    const slot = place.tls === undefined ? {} : { slot: wordAt(place.tls) - 8 }
    found.push({ sp, ...slot, ...(place.g === undefined ? {} : { g: wordAt(place.g) }) })
  }
  return found
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
  let offset = alignUp(noteAt + notes.length, pageSize)
  const headerEnd = offset
  // Headers by address, as gABI wants them; the file in the order of need.
  const ordered = [...loads.filter(load => load.isChosen), ...loads.filter(load => !load.isChosen)]
  const runs = ordered.map(({ header, address, size }) => {
    header.writeBigUInt64LE(BigInt(offset), 8)
    const run = { offset, end: offset + size, address }
    offset += size
    return run
  })
  const note = headers.find(header => header.readUInt32LE(0) === PT_NOTE)!
  note.writeBigUInt64LE(BigInt(noteAt), 8)
  note.writeBigUInt64LE(BigInt(notes.length), 32)
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
