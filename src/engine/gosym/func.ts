/** One function of pclntab (`runtime._func`) with its tables. */
import { type FuncRole, funcRole } from './func-role.ts'
import type { ModuleTables } from './module-tables.ts'
import { type PcTable, pcValue } from './pc-value.ts'
import { FuncData, FuncFlag, PcData } from './pclntab-versions.ts'

/** A position in the source. */
export interface SourceLine {
  readonly file: string
  readonly line: number
}

/** One function at a pc: the function itself, or one that was inlined into it. */
export interface LogicalFrame extends SourceLine {
  /** As pclntab has it, type arguments and all. */
  readonly name: string
  readonly funcID: number
  readonly inlined: boolean
  /** The instruction that file and line are of. */
  readonly pc: number
}

const unknownLine: SourceLine = { file: '?', line: 0 }
/** The compiler inlines to a depth of a few dozen at most. */
const maxInlineDepth = 1000

export class GoFunc {
  readonly tables: ModuleTables
  readonly entry: number
  /** First address behind it: the next function's entry. */
  readonly end: number
  readonly name: string
  /** What stack walks have to know of it. */
  readonly role: FuncRole | undefined
  readonly args: number
  /** Offset of the call to deferreturn, 0 for none. */
  readonly deferreturn: number
  readonly startLine: number
  readonly funcID: number
  readonly flag: number
  readonly #pcsp: number
  readonly #pcfile: number
  readonly #pcln: number
  readonly #npcdata: number
  readonly #nfuncdata: number
  readonly #cuOffset: number
  /** Where the pcdata array begins in pclntable. */
  readonly #pcdataAt: number
  #stackDepth: PcTable | undefined
  #inlining: PcTable | undefined
  #lines: PcTable | undefined
  #files: PcTable | undefined
  #argInfo: number | undefined
  #argLiveInfo: number | undefined

  constructor(tables: ModuleTables, at: number, entry: number, end: number) {
    const { func, funcdata } = tables.module.header.format
    const wordSize = funcdata === 'pointer' ? tables.module.header.ptrSize : 4
    const u32 = (offset: number): number => tables.funcU32(at + wordSize + offset)
    const u8 = (offset: number | undefined): number =>
      offset === undefined ? 0 : tables.funcU8(at + wordSize + offset)
    this.tables = tables
    this.entry = entry
    this.end = end
    this.name = tables.funcName(u32(func.nameOff) | 0)
    this.role = funcRole(this.name)
    this.args = u32(func.args) | 0
    this.deferreturn = u32(func.deferreturn)
    this.startLine = func.startLine === undefined ? 0 : u32(func.startLine) | 0
    this.funcID = u8(func.funcID)
    this.flag = u8(func.flag)
    this.#pcsp = u32(func.pcsp)
    this.#pcfile = u32(func.pcfile)
    this.#pcln = u32(func.pcln)
    this.#npcdata = Math.min(u32(func.npcdata), 64)
    this.#cuOffset = u32(func.cuOffset)
    this.#nfuncdata = u8(func.nfuncdata)
    this.#pcdataAt = at + wordSize + func.size
  }

  get isTopFrame(): boolean {
    return (this.flag & FuncFlag.topFrame) !== 0
  }

  get writesSp(): boolean {
    return (this.flag & FuncFlag.spWrite) !== 0
  }

  /** False for code that has no frame information, such as the race detector's. */
  get hasFrameInfo(): boolean {
    return this.#pcsp !== 0
  }

  /** Bytes of stack below the return address at `pc`; -1 where the table has no answer. */
  spDelta(pc: number): number {
    this.#stackDepth ??= this.tables.pcTable(this.#pcsp)
    return pcValue(this.#stackDepth, pc - this.entry)
  }

  /** runtime.pcdatavalue: -1 for a table that is not there. */
  pcdata(table: number, pc: number): number {
    return pcValue(this.#pcdataTable(table), pc - this.entry)
  }

  /** Address of a FUNCDATA entry, 0 for none. */
  funcdata(index: number): number {
    if (index >= this.#nfuncdata) return 0
    const at = this.#pcdataAt + 4 * this.#npcdata
    const { module } = this.tables
    if (module.header.format.funcdata === 'pointer') {
      const { ptrSize } = module.header
      return this.tables.funcWord(Math.ceil(at / ptrSize) * ptrSize + index * ptrSize)
    }
    const offset = this.tables.funcU32(at + 4 * index)
    return offset === 0xffffffff ? 0 : module.gofunc + offset
  }

  /** Address of the argument description, which every frame asks for. */
  get argInfo(): number {
    this.#argInfo ??= this.funcdata(FuncData.argInfo)
    return this.#argInfo
  }

  get argLiveInfo(): number {
    this.#argLiveInfo ??= this.funcdata(FuncData.argLiveInfo)
    return this.#argLiveInfo
  }

  /** runtime.funcline: the position of the instruction at `pc`, in the innermost inlined function there. */
  lineAt(pc: number): SourceLine {
    this.#files ??= this.tables.pcTable(this.#pcfile)
    this.#lines ??= this.tables.pcTable(this.#pcln)
    const file = pcValue(this.#files, pc - this.entry)
    const line = pcValue(this.#lines, pc - this.entry)
    if (file === -1 || line === -1) return unknownLine
    return { file: this.tables.fileName(this.#cuOffset + file), line }
  }

  /** Offsets from the entry at which runs of instructions of one line begin, ascending. */
  lineStarts(): number[] {
    this.#lines ??= this.tables.pcTable(this.#pcln)
    return [0, ...this.#lines.ends].slice(0, -1)
  }

  /** First address behind the last instruction that has a line: what follows up to `end` only fills up. */
  get codeEnd(): number {
    this.#lines ??= this.tables.pcTable(this.#pcln)
    const size = this.#lines.ends.at(-1) ?? 0
    return size > 0 ? Math.min(this.end, this.entry + size) : this.end
  }

  /** Address of the first instruction of a line in the files that `isFile` holds of; undefined where none is. */
  firstOfLine(line: number, isFile: (path: string) => boolean): number | undefined {
    this.#lines ??= this.tables.pcTable(this.#pcln)
    const { ends, values } = this.#lines
    for (let i = 0; i < values.length; i++) {
      if (values[i] !== line) continue
      const pc = this.entry + (i === 0 ? 0 : ends[i - 1]!)
      if (isFile(this.lineAt(pc).file)) return pc
    }
    return undefined
  }

  /**
   * The functions at `pc`, innermost first, ending with this one. The way of runtime.inlineUnwinder, which is also
   * that of Go before 1.20: the inlining index at the call in the parent leads on.
   */
  inlinedAt(pc: number): LogicalFrame[] {
    const frames: LogicalFrame[] = []
    this.#inlining ??= this.#pcdataTable(PcData.inlTreeIndex)
    let at = pc
    for (let depth = 0; depth < maxInlineDepth; depth++) {
      const index = pcValue(this.#inlining, at - this.entry)
      if (index < 0) break
      const call = this.tables.inlinedCall(this.funcdata(FuncData.inlTree), index)
      if (!call) break
      frames.push({ name: call.name, funcID: call.funcID, inlined: true, pc: at, ...this.lineAt(at) })
      at = this.entry + call.parentPc
    }
    frames.push({ name: this.name, funcID: this.funcID, inlined: false, pc: at, ...this.lineAt(at) })
    return frames
  }

  #pcdataTable(table: number): PcTable {
    const offset = table < this.#npcdata ? this.tables.funcU32(this.#pcdataAt + 4 * table) : 0
    return this.tables.pcTable(offset)
  }
}
