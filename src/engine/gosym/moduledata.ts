/**
 * `runtime.moduledata`: the linker's account of one Go module (the program, a plugin, a shared library): where text,
 * data, types and function tables are. Found by content: in the writable memory of the core, which is relocated
 * already, a word that points to pclntab begins one. The order of its fields up to enoptrbss never changed from
 * Go 1.16 to 1.27; the rest is in a table.
 */
import type { Memory } from '../core/memory.ts'
import type { LoadedFile } from '../core/process-image.ts'
import { maxScan, scanWords } from '../core/scan.ts'
import { SegmentFlag, SegmentType } from '../elf/constants.ts'
import { type PclnHeader, readPclnHeader } from './pclntab.ts'

export interface Slice {
  readonly ptr: number
  readonly len: number
}

export interface TextSection {
  readonly vaddr: number
  readonly end: number
  readonly baseaddr: number
}

export interface ModuleData {
  readonly addr: number
  readonly header: PclnHeader
  readonly funcnametab: Slice
  readonly cutab: Slice
  readonly filetab: Slice
  readonly pctab: Slice
  readonly pclntable: Slice
  readonly ftab: Slice
  readonly minpc: number
  readonly maxpc: number
  readonly text: number
  readonly etext: number
  readonly noptrdata: number
  readonly enoptrdata: number
  readonly data: number
  readonly edata: number
  readonly bss: number
  readonly ebss: number
  readonly noptrbss: number
  readonly enoptrbss: number
  readonly types: number
  readonly etypes: number
  readonly rodata: number
  readonly gofunc: number
  readonly textsectmap: readonly TextSection[]
  readonly next: number
}

/** Word indices (byte offset / pointer size) of the fields that moved. From each version's runtime/symtab.go. */
interface TailLayout {
  /** First minor version. */
  readonly since: number
  readonly types: number
  readonly etypes: number
  readonly rodata?: number
  readonly gofunc?: number
  readonly textsectmap: number
  readonly next: number
}

/** Newest first. */
const tails: readonly TailLayout[] = [
  { since: 27, types: 37, etypes: 39, rodata: 42, gofunc: 43, textsectmap: 45, next: 70 },
  { since: 26, types: 37, etypes: 38, rodata: 39, gofunc: 40, textsectmap: 42, next: 73 },
  { since: 23, types: 37, etypes: 38, rodata: 39, gofunc: 40, textsectmap: 41, next: 72 },
  { since: 21, types: 37, etypes: 38, rodata: 39, gofunc: 40, textsectmap: 41, next: 73 },
  { since: 20, types: 37, etypes: 38, rodata: 39, gofunc: 40, textsectmap: 41, next: 70 },
  { since: 18, types: 35, etypes: 36, rodata: 37, gofunc: 38, textsectmap: 39, next: 68 },
  { since: 16, types: 35, etypes: 36, textsectmap: 37, next: 66 },
]

const words = {
  pcHeader: 0,
  funcnametab: 1,
  cutab: 4,
  filetab: 7,
  pctab: 10,
  pclntable: 13,
  ftab: 16,
  minpc: 20,
}
const maxTable = 1 << 30
const maxTextSections = 1 << 10
const maxModules = 64

/** The program's module and those loaded later, in the runtime's order; empty where none can be found. */
export function findModules(
  memory: Memory,
  header: PclnHeader,
  file: LoadedFile,
  goMinor: number | undefined,
): ModuleData[] {
  let left = maxScan
  for (const segment of file.elf.segments) {
    if (segment.type !== SegmentType.load || (segment.flags & SegmentFlag.write) === 0) continue
    const start = segment.vaddr + file.bias
    const size = Math.min(segment.memsz, left)
    for (const addr of scanWords(memory, start, start + size, header.addr)) {
      const first = readModule(memory, addr, goMinor)
      if (first) return followNext(memory, first, goMinor)
    }
    left -= size
  }
  return []
}

function followNext(memory: Memory, first: ModuleData, goMinor: number | undefined): ModuleData[] {
  const modules = [first]
  for (let { next } = first; next !== 0 && modules.length < maxModules; ) {
    const module = modules.some(({ addr }) => addr === next) ? undefined : readModule(memory, next, goMinor)
    if (!module) break
    modules.push(module)
    next = module.next
  }
  return modules
}

/** Reads and checks one; undefined where the words there cannot be a moduledata. */
export function readModule(
  memory: Memory,
  addr: number,
  goMinor: number | undefined,
): ModuleData | undefined {
  const { ptrSize } = memory
  if (!memory.has(addr, 80 * ptrSize)) return undefined
  const word = (index: number): number => memory.word(addr + index * ptrSize)
  const slice = (index: number): Slice => ({ ptr: word(index), len: word(index + 1) })
  const header = readPclnHeader(memory, word(words.pcHeader))
  if (!header) return undefined
  const [minpc, maxpc, text, etext, noptrdata, enoptrdata, data, edata, bss, ebss, noptrbss, enoptrbss] =
    Array.from({ length: 12 }, (_, i) => word(words.minpc + i)) as [
      ...[number, number, number, number, number, number, number, number, number, number, number, number],
    ]
  const tables = {
    funcnametab: slice(words.funcnametab),
    cutab: slice(words.cutab),
    filetab: slice(words.filetab),
    pctab: slice(words.pctab),
    pclntable: slice(words.pclntable),
    ftab: slice(words.ftab),
  }
  const sane =
    minpc <= maxpc &&
    text <= etext &&
    text <= minpc &&
    maxpc <= etext + 64 &&
    tables.ftab.len === header.nfunc + 1 &&
    data <= edata &&
    bss <= ebss &&
    noptrbss <= enoptrbss &&
    Object.values(tables).every(({ ptr, len }) => Number.isSafeInteger(ptr) && len <= maxTable)
  if (!sane) return undefined
  const rest = readTail(memory, addr, goMinor, header)
  if (!rest) return undefined
  const ranges = {
    minpc,
    maxpc,
    text,
    etext,
    noptrdata,
    enoptrdata,
    data,
    edata,
    bss,
    ebss,
    noptrbss,
    enoptrbss,
  }
  return { addr, header, ...tables, ...ranges, ...rest }
}

type Tail = Pick<ModuleData, 'types' | 'etypes' | 'rodata' | 'gofunc' | 'textsectmap' | 'next'>

/** By the version's table; by the first one that fits where the version is unknown or its table does not fit. */
function readTail(
  memory: Memory,
  addr: number,
  goMinor: number | undefined,
  header: PclnHeader,
): Tail | undefined {
  const known = goMinor === undefined ? undefined : tails.find(({ since }) => since <= goMinor)
  const [sinceMajor, sinceMinor] = header.format.since.split('.').map(Number)
  const possible = tails.filter(({ since }) => sinceMajor === 1 && since >= sinceMinor!)
  for (const layout of known ? [known, ...possible] : possible) {
    const tail = tryTail(memory, addr, layout)
    if (tail) return tail
  }
  return undefined
}

function tryTail(memory: Memory, addr: number, layout: TailLayout): Tail | undefined {
  const { ptrSize } = memory
  const word = (index: number | undefined): number =>
    index === undefined ? 0 : memory.word(addr + index * ptrSize)
  const [types, etypes, rodata, gofunc] = [layout.types, layout.etypes, layout.rodata, layout.gofunc].map(
    word,
  ) as [number, number, number, number]
  const next = word(layout.next)
  const [map, count] = [word(layout.textsectmap), word(layout.textsectmap + 1)]
  const sane =
    types > 0 &&
    types < etypes &&
    etypes - types <= maxTable &&
    (layout.gofunc === undefined || memory.has(gofunc, 1)) &&
    count >= 1 &&
    count <= maxTextSections &&
    count <= word(layout.textsectmap + 2) &&
    memory.has(map, count * 3 * ptrSize) &&
    (next === 0 || memory.has(next, 32 * ptrSize))
  if (!sane) return undefined
  const textsectmap = Array.from({ length: count }, (_, i) => {
    const at = map + i * 3 * ptrSize
    return { vaddr: memory.word(at), end: memory.word(at + ptrSize), baseaddr: memory.word(at + 2 * ptrSize) }
  })
  return { types, etypes, rodata, gofunc, textsectmap, next }
}
