/**
 * What a program has by name, wherever it is written down: debug information of the executable and its libraries, the
 * runtime's type descriptors, and symbol tables. Addresses that come in and go out are the process's.
 */
import type { LoadedFile, ProcessImage } from '../core/process-image.ts'
import type { CStacks } from '../dwarf/c-stack.ts'
import type { DebugFunction, DebugInfo, DebugVariable } from '../dwarf/debug-info.ts'
import { loadedFiles } from '../dwarf/loaded-files.ts'
import type { ElfSymbol } from '../elf/symbol.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { type Field, pointerTo, type Type } from '../type/type.ts'
import type { ValueContext } from '../value/context.ts'
import { descriptorTypes } from '../value/descriptor-types.ts'
import type { TypeReader } from '../value/rtype.ts'
import { DescriptorNames } from './descriptor-names.ts'

export interface ProgramSource {
  readonly image: ProcessImage
  readonly runtime: Runtime | undefined
  readonly stacks: CStacks
  /** The runtime's type descriptors; undefined for a program that is not Go. */
  readonly types: TypeReader | undefined
}

/** Debug information of one file, with what its addresses lack. */
export interface Unit {
  readonly file: LoadedFile
  readonly info: DebugInfo
}

const sttObject = 1

export type DebugInfoFor = (file: LoadedFile) => DebugInfo | undefined

export class Program {
  readonly image: ProcessImage
  readonly runtime: Runtime | undefined
  readonly stacks: CStacks
  readonly files: readonly LoadedFile[]
  readonly values: ValueContext
  readonly #debugInfoFor: DebugInfoFor
  readonly #opened = new Map<LoadedFile, Unit | undefined>()
  readonly #descriptors: DescriptorNames | undefined
  readonly #byDescriptor: (addr: number) => Type | undefined
  readonly #typesByName = new Map<string, Type | undefined>()
  readonly #closures = new Map<number, Type | undefined>()
  readonly #symbols = new Map<LoadedFile, ReadonlyMap<string, ElfSymbol>>()
  readonly #listed: Partial<Record<'types' | 'functions' | 'globals' | 'packages', readonly string[]>> = {}
  #packageNames: ReadonlySet<string> | undefined

  constructor({ image, runtime, stacks, types }: ProgramSource, debugInfoFor: DebugInfoFor) {
    this.image = image
    this.runtime = runtime
    this.stacks = stacks
    this.files = loadedFiles(image)
    this.#debugInfoFor = debugInfoFor
    this.#descriptors = types && runtime ? new DescriptorNames(types, runtime.modules) : undefined
    this.#byDescriptor = types ? descriptorTypes(types) : () => undefined
    this.values = {
      memory: image.memory,
      goMinor: runtime?.context.goMinor ?? 0,
      typeAt: addr => this.typeAt(addr),
      findType: name => this.findType(name),
      functionAt: pc => this.functionNameAt(pc),
      codeAt: addr => this.#codeAt(addr),
      closureAt: pc => this.#closureAt(pc),
      layout: field => runtime?.layout.find(field),
    }
  }

  /** The file whose addresses hold `pc`, with its debug information where it has any. */
  unitAt(pc: number): Unit | undefined {
    const file = this.files.find(({ start, end }) => pc >= start && pc < end)
    return file && this.#unit(file)
  }

  /** All that have debug information, the executable first; opens each. */
  *units(): Generator<Unit> {
    for (const file of this.files) {
      const unit = this.#unit(file)
      if (unit) yield unit
    }
  }

  debugFunctionAt(pc: number): { readonly unit: Unit; readonly func: DebugFunction } | undefined {
    const unit = this.unitAt(pc)
    const func = unit?.info.functionAt(pc - unit.file.bias)
    return unit && func && { unit, func }
  }

  functionNameAt(pc: number): string | undefined {
    return this.runtime?.symtab.findFunc(pc)?.name ?? this.stacks.nameOf(pc, true).name
  }

  #codeAt(addr: number): string | undefined {
    const { name, offset } = this.stacks.nameOf(addr, true)
    return name === undefined || !offset ? name : `${name}+${offset}`
  }

  typeAt(descriptor: number): Type | undefined {
    for (const { info } of this.units()) {
      const type = info.typeOfDescriptor(descriptor)
      if (type) return type
    }
    return this.#byDescriptor(descriptor)
  }

  /** By name, with the package's path or its last element; in debug information, else among the descriptors. */
  findType(name: string): Type | undefined {
    if (this.#typesByName.has(name)) return this.#typesByName.get(name)
    let found: Type | undefined
    for (const { info } of this.units()) {
      found = info.findType(name)
      if (found) break
    }
    if (!found && !this.#hasDebugInfo) {
      const addr = this.#descriptors?.find(name)
      found = addr === undefined ? undefined : this.typeAt(addr)
    }
    this.#typesByName.set(name, found)
    return found
  }

  /** A type as the C code at `pc` has it: its own compilation unit's, before those of the same name elsewhere. */
  findTypeOfC(name: string, pc: number): Type | undefined {
    const found = this.debugFunctionAt(pc)
    const type = found?.func.language === 'c' ? found.unit.info.findType(name, found.func.offset) : undefined
    return type?.language === 'c' ? type : undefined
  }

  /** Whether a Go package has this path, or this as its path's last element. */
  isPackage(name: string): boolean {
    if (this.#hasDebugInfo) {
      for (const { info } of this.units()) if (info.hasPackage(name)) return true
      return false
    }
    if (!this.#packageNames) {
      const paths = this.packages()
      this.#packageNames = new Set([...paths, ...paths.map(path => path.slice(path.lastIndexOf('/') + 1))])
    }
    return this.#packageNames.has(name)
  }

  /** Where a function's code begins: by its full name, or the name behind the package path's last slash. */
  functionEntry(name: string): number | undefined {
    let debugInfo = false
    for (const { file, info } of this.units()) {
      const [found] = info.findFunctions(name)
      if (found) return found.low + file.bias
      debugInfo ||= file.role === 'executable'
    }
    // Only where no index tells it, all functions are passed over.
    if (debugInfo || !this.runtime) return undefined
    for (const { name: full, entry } of this.runtime.symtab.functions())
      if (full === name || full.endsWith(`/${name}`)) return entry
    return undefined
  }

  /** A data symbol of the executable or a library. */
  findSymbol(name: string): { readonly addr: number; readonly size: number } | undefined {
    for (const file of this.files) {
      // With debug information, a symbol that it does not tell is none that anyone asks for.
      if (this.#unit(file)) continue
      const found = this.#symbolsOf(file).get(name)
      if (found) return { addr: found.value + file.bias, size: found.size }
    }
    return undefined
  }

  /** Names of all types, sorted, each once. */
  typeNames(): readonly string[] {
    const more = this.#hasDebugInfo ? [] : (this.#descriptors?.names() ?? [])
    this.#listed.types ??= this.#names(info => info.typeNames(), more)
    return this.#listed.types
  }

  /** Names of all functions, sorted, each once: pclntab's for Go, else those that debug information has. */
  functionNames(): readonly string[] {
    this.#listed.functions ??= this.#names(info => info.functionNames(), this.#goFunctions())
    return this.#listed.functions
  }

  globalNames(): readonly string[] {
    this.#listed.globals ??= this.#names(info => info.globalNames(), [])
    return this.#listed.globals
  }

  /** Import paths of Go packages, sorted. */
  packages(): readonly string[] {
    this.#listed.packages ??= this.#names(info => info.packages(), [])
    if (this.#listed.packages.length === 0)
      this.#listed.packages = this.#names(() => [], new Set(this.#goFunctions().map(packageOf)))
    return this.#listed.packages
  }

  /** Whether the executable's own is there: then it has all types that the descriptors have. */
  get #hasDebugInfo(): boolean {
    const { executable } = this.image
    return executable !== undefined && this.#unit(executable) !== undefined
  }

  #goFunctions(): string[] {
    return this.runtime ? [...this.runtime.symtab.functions()].map(({ name }) => name) : []
  }

  sources(): string[] {
    return this.#names(info => info.sources(), [])
  }

  #names(list: (info: DebugInfo) => Iterable<string>, more: Iterable<string>): string[] {
    const names = new Set(more)
    for (const { info } of this.units()) for (const name of list(info)) names.add(name)
    return [...names].filter(name => name !== '').sort()
  }

  #symbolsOf(file: LoadedFile): ReadonlyMap<string, ElfSymbol> {
    let known = this.#symbols.get(file)
    if (!known) {
      known = new Map(
        file.elf.symbols().flatMap(symbol => (symbol.type === sttObject ? [[symbol.name, symbol]] : [])),
      )
      this.#symbols.set(file, known)
    }
    return known
  }

  #unit(file: LoadedFile): Unit | undefined {
    if (!this.#opened.has(file)) {
      const info = this.#debugInfoFor(file)
      this.#opened.set(file, info && { file, info })
    }
    return this.#opened.get(file)
  }

  #closureAt(pc: number): Type | undefined {
    if (!this.#closures.has(pc)) this.#closures.set(pc, this.#closureType(pc))
    return this.#closures.get(pc)
  }

  /** A closure is a struct that begins with the address of its code; DW_AT_go_closure_offset tells the rest. */
  #closureType(pc: number): Type | undefined {
    const found = this.debugFunctionAt(pc)
    if (found?.func.language !== 'go') return undefined
    const { ptrSize } = this.image.memory
    const fields = found.func
      .scope()
      .variables.filter(
        (variable): variable is DebugVariable & { closureOffset: number } => !!variable.closureOffset,
      )
      .map((variable): Field => {
        const { name, escaped, closureOffset } = variable
        const type = (): Type => (escaped ? pointerTo(variable.type(), ptrSize) : variable.type())
        return { name: escaped ? `&${name}` : name, offset: closureOffset, embedded: false, type }
      })
    if (fields.length === 0) return undefined
    const size = fields.reduce((end, { offset, type }) => Math.max(end, offset + type().size), 0)
    const name = found.func.name
    return { kind: 'struct', name, size, language: 'go', from: 'dwarf', named: false, fields: () => fields }
  }
}

/** `a/b.c` of `a/b.c.(*T).M`: the import path in a Go symbol, where dots of the last element are escaped. */
export function packageOf(symbol: string): string {
  const generic = symbol.indexOf('[')
  const name = generic < 0 ? symbol : symbol.slice(0, generic)
  const dot = name.indexOf('.', name.lastIndexOf('/') + 1)
  return dot < 0 ? '' : name.slice(0, dot).replaceAll('%2e', '.')
}
