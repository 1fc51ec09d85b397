/** Finds `runtime.pclntab`: by its section, or where sections are gone or renamed, by its header. */
import { viewOf } from '../bytes/layout.ts'
import type { Memory } from '../core/memory.ts'
import type { LoadedFile } from '../core/process-image.ts'
import { SegmentFlag, SegmentType } from '../elf/constants.ts'
import { type PclnFormat, pclnFormats } from './pclntab-versions.ts'

export interface PclnHeader {
  /** Address in the process. */
  readonly addr: number
  readonly format: PclnFormat
  /** `sys.PCQuantum`. */
  readonly minLC: number
  readonly ptrSize: number
  readonly nfunc: number
  readonly nfiles: number
}

/** No program has more functions. */
const maxFuncs = 1 << 24
/** The linker aligns the table to 32 bytes; 8 covers other linkers. */
const alignment = 8
const chunkSize = 4 << 20
/** Bytes of a file to look through: code and data of a program lie within 2 GiB of each other. */
const maxScan = 2 ** 31

/** `.data.rel.ro.gopclntab`: position-independent programs before Go 1.26. */
const sectionNames = ['.gopclntab', '.data.rel.ro.gopclntab']

/** pcHeader at `addr`, or undefined where there is none. */
export function readPclnHeader(memory: Memory, addr: number): PclnHeader | undefined {
  const { ptrSize, littleEndian } = memory
  const bytes = memory.tryRead(addr, 8 + 2 * ptrSize)
  if (bytes?.[4] !== 0 || bytes[5] !== 0) return undefined
  const view = viewOf(bytes)
  const format = pclnFormats.find(({ magic }) => magic === view.getUint32(0, littleEndian))
  const [minLC, size] = [bytes[6]!, bytes[7]!]
  if (!format || size !== ptrSize || ![1, 2, 4].includes(minLC)) return undefined
  const [nfunc, nfiles] = [memory.word(addr + 8), memory.word(addr + 8 + ptrSize)]
  if (!(nfunc > 0 && nfunc < maxFuncs && nfiles < maxFuncs)) return undefined
  return { addr, format, minLC, ptrSize, nfunc, nfiles }
}

/** The table of a program or library. */
export function findPclntab(file: LoadedFile, memory: Memory): PclnHeader | undefined {
  for (const name of sectionNames) {
    const section = file.elf.sections.find(s => s.name === name)
    const header = section && readPclnHeader(memory, section.addr + file.bias)
    if (header) return header
  }
  let left = maxScan
  for (const segment of file.elf.segments) {
    if (segment.type !== SegmentType.load || (segment.flags & SegmentFlag.read) === 0) continue
    const size = Math.min(segment.filesz, file.elf.source.size - segment.offset, left)
    const found = scan(file, memory, segment, size)
    if (found) return found
    left -= Math.max(0, size)
  }
  return undefined
}

function scan(
  file: LoadedFile,
  memory: Memory,
  segment: { offset: number; vaddr: number },
  end: number,
): PclnHeader | undefined {
  const { source } = file.elf
  const magics = new Set(pclnFormats.map(({ magic }) => magic))
  for (let base = 0; base < end; base += chunkSize) {
    const bytes = source.read(segment.offset + base, Math.min(chunkSize, end - base))
    const view = viewOf(bytes)
    for (let at = 0; at + 8 <= bytes.length; at += alignment) {
      // The cheap test first: two zero bytes behind the magic number.
      if (bytes[at + 4] !== 0 || bytes[at + 5] !== 0 || !magics.has(view.getUint32(at, memory.littleEndian)))
        continue
      const header = readPclnHeader(memory, segment.vaddr + file.bias + base + at)
      if (header) return header
    }
  }
  return undefined
}
