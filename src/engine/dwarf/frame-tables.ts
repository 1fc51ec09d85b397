/**
 * All call frame tables of a process: those of the executable, its libraries and the vDSO. They are read where the process had them mapped, so that their addresses need no load bias.
 */
import { FormatError, MemoryFault } from '../../base/errors.ts'
import type { LoadedFile, ProcessImage } from '../core/process-image.ts'
import type { Fde, FrameSource } from './frame-entry.ts'
import { FrameReader } from './frame-reader.ts'
import { type FrameTable, openEhFrameHdr, scanned } from './frame-table.ts'

/** PT_GNU_EH_FRAME, LSB 5.0 core 10.6. */
const ptGnuEhFrame = 0x6474e550

interface Module {
  readonly start: number
  readonly end: number
  tables(): readonly FrameTable[]
}

export interface FrameTables {
  find(pc: number): Fde | undefined
}

export function openFrameTables(image: ProcessImage, files: readonly LoadedFile[]): FrameTables {
  const source = memorySource(image)
  const modules: Module[] = files.map(file => ({
    start: file.start,
    end: file.end,
    tables: once(() => tablesOf(file, source)),
  }))
  return {
    find(pc) {
      for (const { start, end, tables } of modules) {
        if (pc < start || pc >= end) continue
        for (const table of tables()) {
          const fde = table.find(pc)
          if (fde) return fde
        }
      }
      return undefined
    },
  }
}

/** `.eh_frame` by its header, or by its section in programs that have none, then `.debug_frame`. */
function tablesOf(file: LoadedFile, source: FrameSource): FrameTable[] {
  const { elf, bias } = file
  const tables: FrameTable[] = []
  const header = elf.segments.find(({ type }) => type === ptGnuEhFrame)
  const indexed = header && openEhFrameHdr(source, header.vaddr + bias)
  if (indexed) tables.push(indexed)
  try {
    const ehFrame = indexed ? undefined : elf.section('.eh_frame')
    if (ehFrame && ehFrame.addr !== 0) tables.push(scanned(source, ehFrame.addr + bias, 'eh_frame'))
    const debugFrame = elf.section('.debug_frame')?.bytes()
    if (debugFrame && debugFrame.length > 0) tables.push(debugFrameTable(file, debugFrame))
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
  }
  return tables
}

/** `.debug_frame` is not mapped: its addresses are the file's own, and the look-up takes the bias off. */
function debugFrameTable({ elf, bias }: LoadedFile, bytes: Uint8Array): FrameTable {
  const origin = { ...elf.header, file: elf.source.name, section: '.debug_frame' }
  const source: FrameSource = (addr, length) =>
    new FrameReader(bytes.subarray(addr, Math.min(bytes.length, addr + length)), origin, addr)
  const table = scanned(source, 0, 'debug_frame')
  return {
    find(pc) {
      const fde = table.find(pc - bias)
      return fde && { ...fde, start: fde.start + bias, end: fde.end + bias }
    },
  }
}

/** Bytes of the process's memory, as many as there are up to `length`. */
function memorySource({ memory, arch }: ProcessImage): FrameSource {
  const origin = {
    file: 'memory',
    section: '.eh_frame',
    littleEndian: arch.littleEndian,
    ptrSize: arch.ptrSize,
  }
  return (addr, length) => {
    let there = 0
    while (there < length) {
      const region = memory.regionAt(addr + there)
      if (!region) break
      there = Math.min(length, region.end - addr)
    }
    if (there === 0) throw new MemoryFault(addr)
    return new FrameReader(memory.read(addr, there), origin, addr)
  }
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
