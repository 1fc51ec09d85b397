/**
 * The code of a dead process by address: which function an address is in, which symbol, which line. Go's functions come
 * from pclntab, which no strip removes; those of C, and all data, from the symbol tables of the files that were mapped.
 */
import type { LoadedFile, ProcessImage } from '../core/process-image.ts'
import { openFrameTables } from '../dwarf/frame-tables.ts'
import type { LineRange } from '../dwarf/line-table.ts'
import { loadedFiles } from '../dwarf/loaded-files.ts'
import { Symbolizer, symbolsOf } from '../dwarf/symbolizer.ts'
import type { ElfSymbol } from '../elf/symbol.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { CodeSymbol } from './go-syntax.ts'

export interface CodeFunction {
  readonly name: string
  readonly start: number
  /** First address behind it. */
  readonly end: number
  /** Source file of its first line, where that is known. */
  readonly file?: string
  readonly language: 'go' | 'c'
}

export interface CodePlace {
  readonly file: string
  readonly line: number
}

/** A function of C without a size, or a stripped one, is shown so far at most. */
const maxUnsized = 4096
const sttObject = 1

export class Code {
  readonly #image: ProcessImage
  readonly #runtime: Runtime | undefined
  readonly #files: readonly LoadedFile[]
  readonly #symbolizer: Symbolizer
  readonly #data = new Map<LoadedFile, readonly ElfSymbol[]>()
  #frames: ReturnType<typeof openFrameTables> | undefined

  constructor(image: ProcessImage, runtime: Runtime | undefined) {
    this.#image = image
    this.#runtime = runtime
    this.#files = loadedFiles(image)
    this.#symbolizer = new Symbolizer(this.#files)
  }

  /** The function that holds `pc`, by name or, in stripped C, by its call frame information. */
  functionAt(pc: number): CodeFunction | undefined {
    const go = this.#runtime?.symtab.findFunc(pc)
    if (go) {
      const { file } = go.lineAt(go.entry)
      return {
        name: go.name,
        start: go.entry,
        end: go.codeEnd,
        language: 'go',
        ...(file === '?' ? {} : { file }),
      }
    }
    const symbol = this.#symbolizer.at(pc)
    this.#frames ??= openFrameTables(this.#image, this.#files)
    const fde = this.#frames.find(pc)
    if (symbol?.name === undefined)
      return fde && { name: '??', start: fde.start, end: fde.end, language: 'c' }
    const start = symbol.start!
    const file = this.#symbolizer.lineAt(start)?.file
    const end = fde && fde.start <= start && fde.end > start ? fde.end : this.#nextSymbol(symbol.file, start)
    return { name: symbol.name, start, end, language: 'c', ...(file === undefined ? {} : { file }) }
  }

  /** By name: the full one, or what of it follows the package's path or the package (`second` for `main.second`). */
  findFunctions(name: string, max = 50): CodeFunction[] {
    const exact = this.#runtime?.symtab.findByName(name)
    if (exact) return [this.functionAt(exact.entry)!]
    const found: CodeFunction[] = []
    const ending = (full: string): boolean =>
      full.endsWith(name) && (full.at(-name.length - 1) === '/' || full.at(-name.length - 1) === '.')
    for (const func of this.#runtime?.symtab.functions() ?? []) {
      if (found.length >= max) return found
      if (ending(func.name) || withoutStars(func.name) === name) found.push(this.functionAt(func.entry)!)
    }
    for (const file of this.#files)
      for (const symbol of symbolsOf(file))
        if (symbol.name === name && symbol.type === 2 && found.length < max) {
          const at = this.functionAt(symbol.value + file.bias)
          if (at && !found.some(({ start }) => start === at.start)) found.push(at)
        }
    return found
  }

  /** The function or variable that holds an address. */
  symbolAt(addr: number): CodeSymbol | undefined {
    const go = this.#runtime?.symtab.findFunc(addr)
    if (go) return { name: go.name, start: go.entry }
    const file = this.#files.find(({ start, end }) => addr >= start && addr < end)
    if (!file) return undefined
    const data = this.#dataSymbols(file)
    const at = data[lastAtOrBelow(data, addr - file.bias)]
    if (at && addr - file.bias < at.value + at.size) return { name: at.name, start: at.value + file.bias }
    const symbol = this.#symbolizer.at(addr)
    return symbol?.name === undefined ? undefined : { name: symbol.name, start: symbol.start! }
  }

  /** The source line of the instruction at `pc`, in the innermost inlined function. */
  lineAt(pc: number): CodePlace | undefined {
    const go = this.#runtime?.symtab.findFunc(pc)
    const place = go ? go.lineAt(pc) : this.#symbolizer.lineAt(pc)
    return place && place.line > 0 ? { file: place.file, line: place.line } : undefined
  }

  /**
   * First instructions of a source line, by the file's name or the end of its path, in the functions that are written
   * in that file. Passes over all functions.
   */
  addressesOf(file: string, line: number, max = 16): number[] {
    const found: number[] = []
    const isFile = (path: string): boolean => path === file || path.endsWith(`/${file}`)
    for (const func of this.#runtime?.symtab.functions() ?? []) {
      if (found.length >= max) break
      if (isFile(func.lineAt(func.entry).file)) {
        const pc = func.firstOfLine(line, isFile)
        if (pc !== undefined) found.push(pc)
      }
    }
    return found
  }

  /** The run of instructions of one line that `pc` is in: a row of line tables, else of pclntab. */
  lineRangeAt(pc: number): LineRange | undefined {
    const go = this.#runtime?.symtab.findFunc(pc)
    const known = this.#symbolizer.rangeAt(pc)
    if (known || !go) return known
    const starts = go.lineStarts()
    const low = starts.findLast(start => go.entry + start <= pc) ?? 0
    const high = starts.find(start => go.entry + start > pc)
    const place = go.lineAt(pc)
    if (place.line <= 0) return undefined
    return { ...place, low: go.entry + low, high: high === undefined ? go.codeEnd : go.entry + high }
  }

  /** The first run of a line's instructions; where it has none, that of the next line that has, which it says. */
  lineRangeOf(file: string, line: number): LineRange | undefined {
    const known = this.#symbolizer.rangeOf(file, line)
    if (known) return known
    const [first] = this.addressesOf(file, line)
    return first === undefined ? undefined : this.lineRangeAt(first)
  }

  /** The functions at `pc`, innermost first; more than one where calls were inlined there. */
  functionsAt(pc: number): readonly string[] {
    const go = this.#runtime?.symtab.findFunc(pc)
    if (go) return go.inlinedAt(pc).map(({ name }) => name)
    const name = this.#symbolizer.at(pc)?.name
    return name === undefined ? [] : [name]
  }

  /** Source files by the paths that the compiler gave them; those of C where the files have line tables. */
  *sourceFiles(): Generator<string> {
    yield* this.#runtime?.symtab.fileNames() ?? []
    for (const file of this.#files) yield* this.#symbolizer.sourcesOf(file)
  }

  /** The first source file whose path is, or ends in, `name`. */
  sourceFile(name: string): string | undefined {
    for (const file of this.sourceFiles()) if (file === name || file.endsWith(`/${name}`)) return file
    return undefined
  }

  /** Import paths of Go packages that have functions; each as often as it comes. */
  *packages(): Generator<string> {
    let last = ''
    for (const { name } of this.#runtime?.symtab.functions() ?? []) {
      const path = packageOf(name)
      if (path === undefined || path === last) continue
      last = path
      yield path
    }
  }

  /** Bytes from `start`, as many as are there up to `end`. */
  read(start: number, end: number): Uint8Array {
    const { memory } = this.#image
    let there = start
    while (there < end) {
      const region = memory.regionAt(there)
      if (!region) break
      there = Math.min(end, region.end)
    }
    return there > start ? memory.read(start, there - start) : new Uint8Array(0)
  }

  #nextSymbol(file: LoadedFile, start: number): number {
    let end = start + maxUnsized
    for (const { value, size, type } of symbolsOf(file)) {
      const at = value + file.bias
      if (at === start && size > 0) return start + size
      if (type === 2 && at > start && at < end) end = at
    }
    return end
  }

  #dataSymbols(file: LoadedFile): readonly ElfSymbol[] {
    let data = this.#data.get(file)
    if (!data) {
      data = symbolsOf(file)
        .filter(({ type, size, name }) => (type === sttObject || type === 0) && size > 0 && name !== '')
        .sort((a, b) => a.value - b.value)
      this.#data.set(file, data)
    }
    return data
  }
}

/** `net/http` of `net/http.(*Server).Serve`; the dots of the path's last element are escaped there. */
function packageOf(name: string): string | undefined {
  const plain = name.replace(/\[.*$/s, '')
  const dot = plain.indexOf('.', plain.lastIndexOf('/') + 1)
  if (dot <= 0 || /^(?:type:|go:|_cgo)/.test(plain)) return undefined
  return plain.slice(0, dot).replaceAll('%2e', '.')
}

/** `main.T.put` for `main.(*T).put`. */
const withoutStars = (name: string): string => name.replace(/\(\*([^)]*)\)/, '$1')

/** Index of the last symbol that begins at or below `addr`, -1 for none; of several the first that was listed. */
function lastAtOrBelow(symbols: readonly ElfSymbol[], addr: number): number {
  let [low, high] = [0, symbols.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (symbols[middle]!.value <= addr) low = middle + 1
    else high = middle
  }
  return low - 1
}
