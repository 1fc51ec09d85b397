/** The tables of one module in memory: functions by address, names, files, pc tables. */

import { utf8 } from '../bytes/cursor.ts'
import { viewOf } from '../bytes/layout.ts'
import type { Memory } from '../core/memory.ts'
import { GoFunc } from './func.ts'
import type { ModuleData, Slice } from './moduledata.ts'
import { decodePcTable, type PcTable } from './pc-value.ts'

/** An entry of a function's inline tree. */
export interface InlinedCall {
  readonly name: string
  readonly funcID: number
  /** Of an instruction in the caller, from the function's entry. */
  readonly parentPc: number
}

/** runtime.inlinedCall. Go 1.20 (CL 424494) dropped parent, file and line. */
const inlineLayouts = {
  old: { size: 20, funcID: 2, name: 12, parentPc: 16 },
  new: { size: 16, funcID: 0, name: 4, parentPc: 8 },
} as const

const maxName = 1 << 16
const maxIndex = 1 << 20

export class ModuleTables {
  readonly module: ModuleData
  readonly #memory: Memory
  readonly #littleEndian: boolean
  readonly #funcnametab: Uint8Array
  readonly #cutab: Uint8Array
  readonly #filetab: Uint8Array
  readonly #pctab: Uint8Array
  readonly #pcln: DataView
  /** Entry of each function as offset from text, and one more for the end. */
  readonly #entries: Float64Array
  readonly #offsets: Float64Array
  readonly #funcs: (GoFunc | undefined)[] = []
  readonly #pcTables = new Map<number, PcTable>()
  readonly #names = new Map<number, string>()
  readonly #files = new Map<number, string>()
  readonly #inlined = new Map<number, InlinedCall | undefined>()

  /** Reads the tables; throws MemoryFault where one is missing. */
  constructor(memory: Memory, module: ModuleData) {
    const table = ({ ptr, len }: Slice, unit = 1): Uint8Array => memory.read(ptr, len * unit)
    this.module = module
    this.#memory = memory
    this.#littleEndian = memory.littleEndian
    this.#funcnametab = table(module.funcnametab)
    this.#cutab = table(module.cutab, 4)
    this.#filetab = table(module.filetab)
    this.#pctab = table(module.pctab)
    this.#pcln = viewOf(table(module.pclntable))
    const { entries, offsets } = this.#readFunctab(memory)
    this.#entries = entries
    this.#offsets = offsets
  }

  /** Number of functions. */
  get size(): number {
    return this.#entries.length - 1
  }

  /** The function that holds `pc`; undefined outside the module's text. */
  findFunc(pc: number): GoFunc | undefined {
    const { module } = this
    if (!(pc >= module.minpc && pc < module.maxpc)) return undefined
    const offset = this.#textOffset(pc)
    if (offset === undefined) return undefined
    let low = 0
    let high = this.#entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#entries[middle]! <= offset) low = middle + 1
      else high = middle
    }
    return low === 0 || low >= this.#entries.length ? undefined : this.func(low - 1)
  }

  /** The function by its place in the table. */
  func(index: number): GoFunc | undefined {
    const known = this.#funcs[index]
    if (known) return known
    const at = this.#offsets[index]
    if (at === undefined || at + 64 > this.#pcln.byteLength + 24) return undefined
    try {
      const entry = this.#textAddress(this.#entries[index]!)
      const func = new GoFunc(this, at, entry, this.#textAddress(this.#entries[index + 1]!))
      this.#funcs[index] = func
      return func
    } catch {
      return undefined
    }
  }

  /** By comparing offsets of names, so that no function needs to be made but the one. */
  findByName(name: string): GoFunc | undefined {
    const nameOff = findText(this.#funcnametab, name)
    if (nameOff < 0) return undefined
    const { format, ptrSize } = this.module.header
    const nameAt = (format.funcdata === 'pointer' ? ptrSize : 4) + format.func.nameOff
    const index = this.#offsets.findIndex(at => this.funcU32(at + nameAt) === nameOff)
    return index < 0 ? undefined : this.func(index)
  }

  funcU8(at: number): number {
    return this.#pcln.getUint8(at)
  }

  funcU32(at: number): number {
    return at + 4 <= this.#pcln.byteLength ? this.#pcln.getUint32(at, this.#littleEndian) : 0
  }

  funcWord(at: number): number {
    if (this.module.header.ptrSize === 4) return this.funcU32(at)
    const [first, second] = [this.funcU32(at), this.funcU32(at + 4)]
    return this.#littleEndian ? second * 0x100000000 + first : first * 0x100000000 + second
  }

  pcTable(offset: number): PcTable {
    let table = this.#pcTables.get(offset)
    if (!table) {
      table = decodePcTable(this.#pctab, offset, this.module.header.minLC)
      this.#pcTables.set(offset, table)
    }
    return table
  }

  funcName(offset: number): string {
    return kept(this.#names, offset, () => textAt(this.#funcnametab, offset))
  }

  /** runtime.funcfile: by index in the table of compilation units. */
  fileName(index: number): string {
    return kept(this.#files, index, () => {
      const at = index * 4
      if (at < 0 || at + 4 > this.#cutab.length) return '?'
      const offset = viewOf(this.#cutab).getUint32(at, this.#littleEndian)
      return offset === 0xffffffff ? '?' : textAt(this.#filetab, offset) || '?'
    })
  }

  /** All source files of the module, also those whose code was inlined everywhere. */
  *fileNames(): Generator<string> {
    for (let at = 0; at < this.#filetab.length; ) {
      const end = this.#filetab.indexOf(0, at)
      if (end < 0) return
      if (end > at) yield utf8(this.#filetab.subarray(at, Math.min(end, at + maxName)))
      at = end + 1
    }
  }

  /** Entry `index` of the inline tree at `tree`. */
  inlinedCall(tree: number, index: number): InlinedCall | undefined {
    if (tree === 0 || index > maxIndex) return undefined
    const old = this.module.header.format.since !== '1.20'
    const layout = old ? inlineLayouts.old : inlineLayouts.new
    const at = tree + index * layout.size
    if (this.#inlined.has(at)) return this.#inlined.get(at)
    const call = this.#memory.has(at, layout.size)
      ? {
          name: this.funcName(this.#memory.i32(at + layout.name)),
          funcID: this.#memory.u8(at + layout.funcID),
          parentPc: this.#memory.i32(at + layout.parentPc),
        }
      : undefined
    this.#inlined.set(at, call)
    return call
  }

  #readFunctab(memory: Memory): { entries: Float64Array; offsets: Float64Array } {
    const { ftab, header, text } = this.module
    const width = header.format.functab === 'u32' ? 4 : header.ptrSize
    const bytes = viewOf(memory.read(ftab.ptr, (header.nfunc * 2 + 1) * width))
    const value = (at: number): number =>
      width === 4
        ? bytes.getUint32(at, this.#littleEndian)
        : Number(bytes.getBigUint64(at, this.#littleEndian))
    const entries = new Float64Array(header.nfunc + 1)
    const offsets = new Float64Array(header.nfunc)
    for (let i = 0; i <= header.nfunc; i++) {
      const entry = value(2 * i * width)
      entries[i] = header.format.functab === 'u32' ? entry : entry - text
      if (i < header.nfunc) offsets[i] = value((2 * i + 1) * width)
    }
    return { entries, offsets }
  }

  /** runtime.(*moduledata).textAddr: very large programs have several text sections on some machines. */
  #textAddress(offset: number): number {
    const { text, textsectmap } = this.module
    if (textsectmap.length > 1) {
      const last = textsectmap.length - 1
      for (const [i, { vaddr, end, baseaddr }] of textsectmap.entries())
        if ((offset >= vaddr && offset < end) || (i === last && offset === end))
          return baseaddr + offset - vaddr
    }
    return text + offset
  }

  /** runtime.(*moduledata).textOff. */
  #textOffset(pc: number): number | undefined {
    const { text, textsectmap } = this.module
    if (textsectmap.length > 1) {
      for (const { vaddr, end, baseaddr } of textsectmap)
        if (pc >= baseaddr && pc < baseaddr + (end - vaddr)) return pc - baseaddr + vaddr
      return undefined
    }
    return pc - text
  }
}

function kept<V>(map: Map<number, V>, key: number, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}

function textAt(bytes: Uint8Array, offset: number): string {
  if (offset < 0 || offset >= bytes.length) return ''
  const end = bytes.indexOf(0, offset)
  const stop = end < 0 ? bytes.length : end
  return utf8(bytes.subarray(offset, Math.min(stop, offset + maxName)))
}

/** Where `text` begins in a table of NUL-terminated texts; -1 where it is not. */
function findText(table: Uint8Array, text: string): number {
  const wanted = new TextEncoder().encode(`${text}\0`)
  let at = 0
  while (at + wanted.length <= table.length) {
    if (wanted.every((byte, i) => table[at + i] === byte)) return at
    const end = table.indexOf(0, at)
    if (end < 0) break
    at = end + 1
  }
  return -1
}
