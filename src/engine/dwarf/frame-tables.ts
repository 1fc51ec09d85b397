/**
 * All call frame tables of a process: those of the executable and its libraries, and the vDSO's, which no file has.
 * They are read where the process had them mapped, so that their addresses need no load bias.
 */
import { FormatError, MemoryFault } from '../../base/errors.ts'
import { AuxType } from '../core/auxv.ts'
import type { LoadedFile, ProcessImage } from '../core/process-image.ts'
import { openElf } from '../elf/file.ts'
import type { Fde, FrameSource } from './frame-entry.ts'
import { FrameReader } from './frame-reader.ts'
import { type FrameTable, openEhFrameHdr, scanned } from './frame-table.ts'

/** PT_GNU_EH_FRAME, LSB 5.0 core 10.6. */
const ptGnuEhFrame = 0x6474e550
const ptLoad = 1

interface Module {
  readonly start: number
  readonly end: number
  tables(): readonly FrameTable[]
}

export interface FrameTables {
  find(pc: number): Fde | undefined
}

export function openFrameTables(image: ProcessImage): FrameTables {
  const source = memorySource(image)
  const files = [...(image.executable ? [image.executable] : []), ...image.libraries]
  const modules: Module[] = files.map(file => ({
    start: file.start,
    end: file.end,
    tables: once(() => tablesOf(file, source)),
  }))
  const vdso = vdsoModule(image, source)
  if (vdso) modules.push(vdso)
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

/** The kernel's own little library; a core holds all of it. */
function vdsoModule(image: ProcessImage, source: FrameSource): Module | undefined {
  const base = image.core.auxv.get(AuxType.sysinfoEhdr)
  const page = base === undefined ? undefined : image.memory.tryRead(base, 4096)
  if (base === undefined || !page) return undefined
  try {
    const elf = openElf({ name: 'vdso', size: page.length, read: (at, n) => page.subarray(at, at + n) })
    const load = elf.segments.find(({ type }) => type === ptLoad)
    const header = elf.segments.find(({ type }) => type === ptGnuEhFrame)
    if (!load || !header) return undefined
    const bias = base - load.vaddr
    const tables = once(() => {
      const table = openEhFrameHdr(source, header.vaddr + bias)
      return table ? [table] : []
    })
    return { start: base, end: base + load.memsz, tables }
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
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
