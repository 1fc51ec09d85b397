/** Go's tables of a program file that no process has loaded: functions, modules, build information. */
import type { Arch } from '../arch/arch.ts'
import { type Memory, type Region, SplicedMemory, splice } from '../core/memory.ts'
import type { LoadedFile } from '../core/process-image.ts'
import { relocatedData } from '../core/relocated.ts'
import { ElfType, SegmentType } from '../elf/constants.ts'
import type { ElfFile } from '../elf/file.ts'
import { type BuildInfo, findBuildInfo } from './buildinfo.ts'
import { findModules, type ModuleData } from './moduledata.ts'
import { findPclntab } from './pclntab.ts'
import { openSymtab, type Symtab } from './symtab.ts'

export interface GoFile {
  readonly elf: ElfFile
  readonly buildInfo: BuildInfo | undefined
  readonly modules: readonly ModuleData[]
  readonly symtab: Symtab
  /** Its addresses as the tables have them, less the file's own: not 0 for position-independent programs. */
  readonly bias: number
}

/** Relocations make pointers of a position-independent program only where it lies somewhere. */
const somewhere = 1 << 30

/** Undefined where the file is not Go, or its tables are not to be found. */
export function openGoFile(elf: ElfFile, arch: Arch): GoFile | undefined {
  const bias = elf.header.type === ElfType.dyn ? somewhere : 0
  const memory = fileMemory(elf, bias, arch)
  const loads = elf.segments.filter(({ type }) => type === SegmentType.load)
  const file: LoadedFile = {
    path: elf.source.name,
    role: 'executable',
    elf,
    bias,
    start: bias + loads.reduce((min, { vaddr }) => Math.min(min, vaddr), Infinity),
    end: bias + loads.reduce((max, { vaddr, memsz }) => Math.max(max, vaddr + memsz), 0),
  }
  const header = findPclntab(file, memory)
  if (!header) return undefined
  const buildInfo = findBuildInfo(file, memory)
  const minor = /^go1\.(\d+)/.exec(buildInfo?.goVersion ?? '')?.[1]
  const modules = findModules(memory, header, file, minor === undefined ? undefined : Number(minor))
  return modules.length === 0
    ? undefined
    : { elf, buildInfo, modules, symtab: openSymtab(memory, modules), bias }
}

function fileMemory(elf: ElfFile, bias: number, arch: Arch): Memory {
  const { source } = elf
  const segments = elf.segments
    .filter(({ type, offset, filesz }) => type === SegmentType.load && offset < source.size && filesz > 0)
    .map(({ vaddr, filesz, offset }): Region => {
      const size = Math.min(filesz, source.size - offset)
      return { start: vaddr + bias, end: vaddr + bias + size, source, offset, origin: 'file' }
    })
    .filter(({ start, end }) => Number.isSafeInteger(start) && Number.isSafeInteger(end))
    .sort((a, b) => a.start - b.start)
  return new SplicedMemory(splice(relocatedData(elf, bias, arch), splice([], segments)), arch)
}
