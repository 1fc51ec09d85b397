/**
 * Source lines of C code: `.debug_line`, by address. DWARF 5 section 6.2, versions 2 to 5. The section is run through
 * once to learn which sequence covers which addresses, and a sequence is run again when it is asked for. Go code has its
 * lines in pclntab, which is where they are read from.
 */
import { FormatError } from '../../base/errors.ts'
import type { ElfFile } from '../elf/file.ts'
import { FrameReader } from './frame-reader.ts'
import { type LineHeader, type LineStrings, readLineHeader } from './line-header.ts'

export interface SourcePlace {
  readonly file: string
  readonly line: number
}

/** The instructions of one row of the table: addresses as the file has them. */
export interface LineRange extends SourcePlace {
  readonly low: number
  readonly high: number
}

interface Unit {
  readonly offset: number
  readonly low: number
  readonly high: number
}

interface UnitBytes {
  /** Ends with the unit, stands behind its length. */
  readonly reader: FrameReader
  readonly is64: boolean
  readonly end: number
}

/** Row of the line machine's matrix. */
interface Row {
  addr: number
  file: number
  line: number
  /** A good place to stop at. */
  isStmt: boolean
}

export class LineTable {
  readonly #elf: ElfFile
  readonly #origin: ConstructorParameters<typeof FrameReader>[1]
  readonly #headers = new Map<number, LineHeader | undefined>()
  #kept: { readonly bytes: Uint8Array; readonly strings: LineStrings } | undefined
  #units: readonly Unit[] | undefined

  constructor(elf: ElfFile) {
    this.#elf = elf
    this.#origin = { ...elf.header, file: elf.source.name, section: '.debug_line' }
  }

  /** The position of the instruction at `addr`, an address as the file has it. */
  find(addr: number): SourcePlace | undefined {
    this.#units ??= this.#index()
    for (const { offset, low, high } of this.#units) {
      if (addr < low || addr >= high) continue
      const place = this.#search(offset, addr)
      if (place) return place
    }
    return undefined
  }

  /** The row that covers `addr`, of several at one address the last that begins a statement. */
  rangeAt(addr: number): LineRange | undefined {
    this.#units ??= this.#index()
    let found: LineRange | undefined
    for (const { offset, low, high } of this.#units)
      if (!found && addr >= low && addr < high)
        this.#run(offset, (header, rows) => {
          found = rangeIn(header, rows, addr)
          return !found
        })
    return found
  }

  /**
   * The first row of a line by address; where the line has no code, that of the next line that has some. `file` is a
   * path or what it ends in.
   */
  rangeOf(file: string, line: number): LineRange | undefined {
    let best: { readonly line: number; readonly addr: number } | undefined
    this.#units ??= this.#index()
    for (const { offset } of this.#units) {
      const header = this.#headerAt(offset)
      const numbers = new Set(range(header?.files ?? 0).filter(n => matchesPath(header?.file(n), file)))
      if (numbers.size === 0) continue
      this.#run(offset, (_, rows) => {
        for (const [i, row] of rows.entries()) {
          const last = i === rows.length - 1
          if (last || !row.isStmt || row.line < line || row.addr === 0 || !numbers.has(row.file)) continue
          const nearer = !best || row.line < best.line || (row.line === best.line && row.addr < best.addr)
          if (nearer) best = { line: row.line, addr: row.addr }
        }
        return true
      })
    }
    return best && this.rangeAt(best.addr)
  }

  /** Path of a file by its number in the table at `offset`; `directory` is that of the unit (DW_AT_comp_dir). */
  fileAt(offset: number, number: number, directory?: string): string | undefined {
    const path = this.#headerAt(offset)?.file(number)
    if (path === undefined || path.startsWith('/') || !directory || directory === '.') return path
    return `${directory}/${path}`
  }

  /** Paths of all files, each once. */
  sources(): Iterable<string> {
    const found = new Set<string>()
    for (let offset: number | undefined = 0; offset !== undefined && offset < this.#sections.bytes.length; ) {
      const header = this.#headerAt(offset)
      for (const n of range(header?.files ?? 0)) {
        const path = header?.file(n)
        if (path) found.add(path)
      }
      const next: number | undefined = this.#unitAt(offset)?.end
      offset = next !== undefined && next > offset ? next : undefined
    }
    return found
  }

  /** Addresses at which a row says this line, ascending; `file` is a path or what it ends in. */
  addressesOf(file: string, line: number): readonly number[] {
    const found = new Set<number>()
    this.#units ??= this.#index()
    for (const { offset } of this.#units) {
      const header = this.#headerAt(offset)
      if (!header || !range(header.files).some(n => matchesPath(header.file(n), file))) continue
      this.#run(offset, (_, rows) => {
        let before = -1
        for (const row of rows) {
          if (row.line === line && before !== line && matchesPath(header.file(row.file), file))
            found.add(row.addr)
          before = row.line
        }
        return true
      })
    }
    return [...found].sort((a, b) => a - b)
  }

  /** Read when first asked for: lines are seldom all that is wanted. */
  get #sections(): { readonly bytes: Uint8Array; readonly strings: LineStrings } {
    const section = (name: string): Uint8Array => this.#elf.section(name)?.bytes() ?? new Uint8Array(0)
    this.#kept ??= {
      bytes: section('.debug_line'),
      strings: { lineStr: section('.debug_line_str'), str: section('.debug_str') },
    }
    return this.#kept
  }

  #headerAt(offset: number): LineHeader | undefined {
    if (!this.#headers.has(offset)) {
      const unit = this.#unitAt(offset)
      this.#headers.set(offset, unit && this.#headerOf(unit))
    }
    return this.#headers.get(offset)
  }

  #headerOf({ reader, is64 }: UnitBytes): LineHeader | undefined {
    try {
      return readLineHeader(reader, is64, this.#sections.strings)
    } catch (error) {
      if (error instanceof FormatError) return undefined
      throw error
    }
  }

  /** The unit's bytes behind its length; undefined where there are none. */
  #unitAt(offset: number): UnitBytes | undefined {
    const { bytes } = this.#sections
    if (offset + 12 > bytes.length) return undefined
    const head = new FrameReader(bytes, this.#origin, 0, offset)
    let length = head.u32()
    const is64 = length === 0xffffffff
    if (is64) length = Number(head.u64())
    const end = head.at + length
    if (!(end <= bytes.length)) return undefined
    return { reader: new FrameReader(bytes.subarray(0, end), this.#origin, 0, head.at), is64, end }
  }

  #search(offset: number, addr: number): SourcePlace | undefined {
    let found: SourcePlace | undefined
    this.#run(offset, (header, rows) => {
      if (rows[0]!.addr > addr || rows.at(-1)!.addr <= addr) return true
      const next = rows.findIndex(row => row.addr > addr)
      const { file, line } = rows[next - 1]!
      const path = header.file(file)
      if (path !== undefined && line > 0) found = { file: path, line }
      return false
    })
    return found
  }

  #index(): Unit[] {
    const units: Unit[] = []
    for (let offset = 0; offset < this.#sections.bytes.length; ) {
      let [low, high] = [Number.POSITIVE_INFINITY, 0]
      const next = this.#run(offset, (_, rows) => {
        // A function that the linker dropped is left at address 0.
        if (rows[0]!.addr === 0) return true
        low = Math.min(low, rows[0]!.addr)
        high = Math.max(high, rows.at(-1)!.addr)
        return true
      })
      if (high > low) units.push({ offset, low, high })
      if (next === undefined || next <= offset) break
      offset = next
    }
    return units
  }

  /** Runs the unit at `offset` and gives each sequence to `visit`, until it says no. Returns where the next unit is. */
  #run(offset: number, visit: (header: LineHeader, rows: readonly Row[]) => boolean): number | undefined {
    const unit = this.#unitAt(offset)
    const header = unit && this.#headerOf(unit)
    try {
      if (unit && header) runProgram(unit.reader, header, rows => visit(header, rows))
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
    }
    return unit?.end
  }
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n)
}

/** Whether a path is the one asked for, or ends in it. */
function matchesPath(path: string | undefined, wanted: string): boolean {
  return path !== undefined && (path === wanted || path.endsWith(`/${wanted}`))
}

/** The row of a sequence that covers `addr`, up to the next one at another address. */
function rangeIn(header: LineHeader, rows: readonly Row[], addr: number): LineRange | undefined {
  if (rows[0]!.addr > addr || rows.at(-1)!.addr <= addr) return undefined
  const next = rows.findIndex(row => row.addr > addr)
  let at = next - 1
  while (at > 0 && !rows[at]!.isStmt && rows[at - 1]!.addr === rows[at]!.addr) at--
  const row = rows[at]!.isStmt ? rows[at]! : rows[next - 1]!
  const path = header.file(row.file)
  return path === undefined
    ? undefined
    : { file: path, line: row.line, low: row.addr, high: rows[next]!.addr }
}

/** The line number program, DWARF 5 section 6.2.5. */
function runProgram(reader: FrameReader, header: LineHeader, visit: (rows: readonly Row[]) => boolean): void {
  const { minInstLength, maxOps, lineBase, lineRange, opcodeBase, lengths } = header
  let rows: Row[] = []
  let row: Row = { addr: 0, file: 1, line: 1, isStmt: header.defaultIsStmt }
  let opIndex = 0
  const advance = (operations: number): void => {
    const sum = opIndex + operations
    row.addr += minInstLength * (maxOps > 1 ? Math.floor(sum / maxOps) : operations)
    opIndex = maxOps > 1 ? sum % maxOps : 0
  }
  const special = (opcode: number): number => Math.floor((opcode - opcodeBase) / lineRange)
  const emit = (): void => {
    rows.push({ ...row })
  }
  while (!reader.done) {
    const opcode = reader.u8()
    if (opcode >= opcodeBase) {
      advance(special(opcode))
      row.line += lineBase + ((opcode - opcodeBase) % lineRange)
      emit()
      continue
    }
    switch (opcode) {
      case 0: {
        const length = reader.uvarint()
        const end = reader.at + length
        const extended = length > 0 ? reader.u8() : 0
        if (extended === 1) {
          emit()
          if (!visit(rows)) return
          rows = []
          row = { addr: 0, file: 1, line: 1, isStmt: header.defaultIsStmt }
          opIndex = 0
        } else if (extended === 2) {
          row.addr = length === 5 ? reader.u32() : Number(reader.u64())
          opIndex = 0
        }
        if (!(end >= reader.at)) throw reader.error('an opcode longer than it says')
        reader.skip(end - reader.at)
        break
      }
      case 1: // DW_LNS_copy
        emit()
        break
      case 2: // DW_LNS_advance_pc
        advance(reader.uvarint())
        break
      case 3: // DW_LNS_advance_line
        row.line += Number(reader.sleb())
        break
      case 4: // DW_LNS_set_file
        row.file = reader.uvarint()
        break
      case 6: // DW_LNS_negate_stmt
        row.isStmt = !row.isStmt
        break
      case 8: // DW_LNS_const_add_pc
        advance(special(255))
        break
      case 9: // DW_LNS_fixed_advance_pc
        row.addr += reader.u16()
        opIndex = 0
        break
      default:
        // Columns, statement and block marks, and opcodes that came later: only their operands matter.
        for (let n = lengths[opcode - 1] ?? 0; n > 0; n--) reader.uvarint()
    }
  }
}
