/** Names of C functions by address, from the symbol tables of the files that were mapped; raw, as the linker knew them. */
import type { LoadedFile } from '../core/process-image.ts'
import type { ElfSymbol } from '../elf/symbol.ts'
import { CodeFinder } from './code-finder.ts'
import { inlinedFrames, type SourceFrame } from './inlined-frames.ts'
import { type LineRange, LineTable, type SourcePlace } from './line-table.ts'

export interface SymbolAt {
  readonly file: LoadedFile
  /** Absent where the file's symbols do not cover the address. */
  readonly name?: string
  /** Address of the symbol in the process. */
  readonly start?: number
}

const sttFunc = 2
const sttGnuIfunc = 10
const sttNotype = 0

export class Symbolizer {
  readonly #files: readonly LoadedFile[]
  readonly #sorted = new Map<LoadedFile, readonly ElfSymbol[]>()
  readonly #lines = new Map<LoadedFile, LineTable>()
  readonly #finders = new Map<LoadedFile, CodeFinder>()

  constructor(files: readonly LoadedFile[]) {
    this.#files = files
  }

  /** Undefined where no known file lies at `pc`. */
  at(pc: number): SymbolAt | undefined {
    const file = this.#files.find(({ start, end }) => pc >= start && pc < end)
    if (!file) return undefined
    const symbol = cover(this.#symbols(file), pc - file.bias)
    return symbol ? { file, name: symbol.name, start: symbol.value + file.bias } : { file }
  }

  /** Source file and line, where the file has line tables. */
  lineAt(pc: number): SourcePlace | undefined {
    const file = this.#files.find(({ start, end }) => pc >= start && pc < end)
    if (!file) return undefined
    return this.#linesOf(file).find(pc - file.bias)
  }

  /** The instructions of the row of line tables that `pc` is in; addresses are the process's. */
  rangeAt(pc: number): LineRange | undefined {
    const file = this.#files.find(({ start, end }) => pc >= start && pc < end)
    return file && loaded(this.#linesOf(file).rangeAt(pc - file.bias), file)
  }

  /** Those of a line, or of the next that has any, in the first file that knows the source file. */
  rangeOf(source: string, line: number): LineRange | undefined {
    for (const file of this.#files) {
      const found = loaded(this.#linesOf(file).rangeOf(source, line), file)
      if (found) return found
    }
    return undefined
  }

  /** The function at `pc` and, before it, the calls inlined there; undefined without debug information. */
  inlinedAt(pc: number, symbol: string): readonly SourceFrame[] | undefined {
    const file = this.#files.find(({ start, end }) => pc >= start && pc < end)
    if (!file) return undefined
    let finder = this.#finders.get(file)
    if (!finder) {
      finder = new CodeFinder(file.debug ?? file.elf, this.#linesOf(file))
      this.#finders.set(file, finder)
    }
    const func = finder.at(pc - file.bias)
    const { file: path = '', line = 0 } = this.lineAt(pc) ?? {}
    return func && inlinedFrames(func, pc - file.bias, { function: symbol, file: path, line })
  }

  /** Source files of a file's line tables. */
  sourcesOf(file: LoadedFile): Iterable<string> {
    return (file.debug ?? file.elf).section('.debug_line') ? this.#linesOf(file).sources() : []
  }

  #linesOf(file: LoadedFile): LineTable {
    let lines = this.#lines.get(file)
    if (!lines) {
      lines = new LineTable(file.debug ?? file.elf)
      this.#lines.set(file, lines)
    }
    return lines
  }

  #symbols(file: LoadedFile): readonly ElfSymbol[] {
    let sorted = this.#sorted.get(file)
    if (!sorted) {
      sorted = symbolsOf(file)
        .filter(({ type, name, value }) => isCode(type) && name !== '' && value !== 0 && name[0] !== '$')
        .sort((a, b) => a.value - b.value || rank(b) - rank(a))
      this.#sorted.set(file, sorted)
    }
    return sorted
  }
}

function loaded(range: LineRange | undefined, { bias }: LoadedFile): LineRange | undefined {
  return range && { ...range, low: range.low + bias, high: range.high + bias }
}

/** The symbols of a file, those of its separate debug information where they are there. */
export function symbolsOf({ elf, debug }: LoadedFile): readonly ElfSymbol[] {
  const separate = debug?.symbols() ?? []
  return separate.length > 0 ? separate : elf.symbols()
}

function isCode(type: number): boolean {
  return type === sttFunc || type === sttGnuIfunc || type === sttNotype
}

/** Of several names for one place: functions before labels, then names that are not the library's inner ones. */
function rank({ type, name }: ElfSymbol): number {
  return (type === sttNotype ? 0 : 4) + (name.startsWith('_') ? 0 : 2) - name.length / 1000
}

/** The nearest symbol at or below `addr` whose size reaches it; one without a size reaches to the next. */
function cover(symbols: readonly ElfSymbol[], addr: number): ElfSymbol | undefined {
  let [low, high] = [0, symbols.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (symbols[middle]!.value <= addr) low = middle + 1
    else high = middle
  }
  let best: ElfSymbol | undefined
  // Symbols nest now and then (aliases of different sizes), so look a few further down.
  for (let i = low - 1; i >= 0 && i >= low - 8; i--) {
    const symbol = symbols[i]!
    if (best && symbol.value !== best.value) break
    const reaches = symbol.size === 0 ? best === undefined : addr < symbol.value + symbol.size
    if (reaches && (!best || rank(symbol) > rank(best))) best = symbol
  }
  return best ?? undefined
}
