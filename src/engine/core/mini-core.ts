/**
 * A core with a part of the memory: an ELF core like any other (gABI ch. 5), the notes of the original whole, and a
 * PT_LOAD for each run of bytes that it keeps. What it leaves out is not there at all, so that nobody who reads it takes
 * zeros for what the process held. Runs begin at any byte: p_align is 1.
 */
import { viewOf } from '../bytes/layout.ts'
import { SegmentType } from '../elf/constants.ts'
import type { Segment } from '../elf/file.ts'
import { Ehdr32, Ehdr64, identSize, Phdr32, Phdr64 } from '../elf/records.ts'
import type { CoreFile } from './core-file.ts'
import type { AddressRange } from './touched-memory.ts'

/** Where the bytes of a mini-core are to be had. */
export interface MiniCore {
  readonly size: number
  /** ELF header, program headers and notes. */
  readonly header: Uint8Array
  /** What follows, in its order: bytes of the original's file. */
  readonly pieces: readonly { readonly offset: number; readonly length: number }[]
}

/** What of a core is looked at: any machine's will do. */
type CoreParts = Pick<CoreFile, 'source' | 'elf' | 'segments'>

interface Run {
  readonly segment: Segment
  readonly start: number
  readonly end: number
}

/**
 * As many runs as debuggers bear: Delve's time to open a core grows with the square of their number, GDB's for each read
 * with the number.
 */
const mostRuns = 8192
/** e_phnum counts no more without a section for the number. */
const mostHeaders = 0xfff0
/** A gap as small costs no more than the header of another run. */
const smallGap = 128

/** Lays out a core of `ranges`, which are sorted. Undefined where the original has no notes. */
export function layOutMiniCore(core: CoreParts, ranges: readonly AddressRange[]): MiniCore | undefined {
  const { source, elf } = core
  const { is64, littleEndian } = elf.header
  const [Ehdr, Phdr] = is64 ? [Ehdr64, Phdr64] : [Ehdr32, Phdr32]
  const notes = elf.segments.filter(({ type }) => type === SegmentType.note)
  if (notes.length === 0) return undefined
  const runs = joined(runsOf(core, ranges))
  const kept = elf.segments
    .filter(({ type, filesz, vaddr }) => type === SegmentType.load && filesz === 0 && isAddress(vaddr))
    .slice(0, Math.max(0, mostHeaders - runs.length - notes.length))
  // By address, as gABI wants it.
  const loads = [
    ...kept.map(segment => ({ segment, start: segment.vaddr, end: segment.vaddr })),
    ...runs,
  ].sort((a, b) => a.start - b.start || a.end - b.end)

  const ehsize = identSize + Ehdr.size
  const phnum = notes.length + loads.length
  const noteAt = aligned(ehsize + phnum * Phdr.size)
  let offset = notes.reduce((at, note) => aligned(at + note.filesz), noteAt)
  const header = new Uint8Array(offset)
  const view = viewOf(header)
  header.set(source.read(0, ehsize))
  Ehdr.write(view, identSize, littleEndian, {
    ...Ehdr.read(view, identSize, littleEndian),
    ...{ phoff: ehsize, phentsize: Phdr.size, phnum },
    // No sections: the kernel makes them where there are more headers than e_phnum counts.
    ...{ shoff: 0, shentsize: 0, shnum: 0, shstrndx: 0 },
  })
  let at = noteAt
  let index = 0
  const write = (segment: Segment): void =>
    Phdr.write(view, ehsize + index++ * Phdr.size, littleEndian, { ...segment, paddr: 0 })
  for (const note of notes) {
    header.set(source.read(note.offset, note.filesz), at)
    write({ ...note, offset: at })
    at = aligned(at + note.filesz)
  }
  const pieces: { offset: number; length: number }[] = []
  for (const { segment, start, end } of loads) {
    const length = end - start
    if (length === 0) {
      write({ ...segment, offset })
      continue
    }
    write({ ...segment, offset, vaddr: start, filesz: length, memsz: length, align: 1 })
    pieces.push({ offset: segment.offset + (start - segment.vaddr), length })
    offset += length
  }
  return { size: offset, header, pieces }
}

const aligned = (at: number): number => Math.ceil(at / 8) * 8
/** The vsyscall page lies beyond what a number holds, and is the same in every process. */
const isAddress = (vaddr: number): boolean => Number.isSafeInteger(vaddr)

/** Bytes of `ranges`, which are sorted, that the core itself has: the rest comes from files. */
export const bytesInCore = (core: CoreParts, ranges: readonly AddressRange[]): number =>
  runsOf(core, ranges).reduce((sum, { start, end }) => sum + (end - start), 0)

/** The parts of the ranges that the core has the bytes of, by address. */
function runsOf({ segments, source }: CoreParts, ranges: readonly AddressRange[]): Run[] {
  const runs: Run[] = []
  const sorted = segments.filter(({ vaddr }) => isAddress(vaddr)).toSorted((a, b) => a.vaddr - b.vaddr)
  let first = 0
  let last = 0
  for (const segment of sorted) {
    // A damaged core's segments may overlap: what one has had, no other has.
    const begin = Math.max(segment.vaddr, last)
    const stop = segment.vaddr + Math.min(segment.filesz, source.size - segment.offset)
    if (stop <= begin) continue
    last = stop
    while (first < ranges.length && ranges[first]!.end <= begin) first++
    for (let i = first; i < ranges.length && ranges[i]!.start < stop; i++)
      runs.push({
        segment,
        start: Math.max(begin, ranges[i]!.start),
        end: Math.min(stop, ranges[i]!.end),
      })
  }
  return runs
}

/** Runs with small gaps made one, and as many more as it takes for the number to be borne. */
function joined(runs: readonly Run[]): readonly Run[] {
  for (let gap = smallGap; ; gap *= 2) {
    const result: Run[] = []
    for (const run of runs) {
      const open = result.at(-1)
      if (open?.segment === run.segment && run.start - open.end <= gap)
        result[result.length - 1] = { ...open, end: Math.max(open.end, run.end) }
      else result.push(run)
    }
    // One run for each segment is the least there can be.
    if (result.length <= mostRuns || gap > 2 ** 40) return result
  }
}
