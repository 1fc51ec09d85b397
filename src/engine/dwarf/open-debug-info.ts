/** Opens `.debug_info` of a file. Nothing is read before it is asked for; what needs the index builds it once. */
import { crc32 } from 'node:zlib'
import { FormatError } from '../../base/errors.ts'
import type { ElfFile } from '../elf/file.ts'
import type { NamedConstant, Type } from '../type/type.ts'
import { longName } from './c-type.ts'
import { At, LocationOp, Op, Tag } from './constants.ts'
import type { Constant, DebugFunction, DebugInfo, Global } from './debug-info.ts'
import { Entry } from './entry.ts'
import { readFunction } from './function-reader.ts'
import { buildIndex } from './index-builder.ts'
import { LineTable, type SourcePlace } from './line-table.ts'
import { expressionOf, readLocations } from './location-list.ts'
import { type NameIndex, readIndex, type TableName, writeIndex } from './name-index.ts'
import { having, origins, type ScopeContext } from './scope-reader.ts'
import { DebugSections, type IndexCache } from './sections.ts'
import { hashText, matches, plainPath } from './short-name.ts'
import type { SplitFiles } from './split-units.ts'
import { once, TypeReader } from './type-reader.ts'
import { Units } from './units.ts'

export interface DebugInfoOptions {
  /** What index() gave for this very file; anything else is ignored. */
  readonly index?: Uint8Array
  /** Where the index, and large compressed sections in blocks, are kept from one time to the next. */
  readonly cache?: IndexCache
  /** Address in the process of the runtime's type descriptors (moduledata.types), for typeOfDescriptor(). */
  readonly types?: number
  /** Files that debug information was split into; without it, only what the file itself has is read. */
  readonly split?: SplitFiles
}

/** Undefined where the file has no `.debug_info`. */
export function openDebugInfo(elf: ElfFile, options: DebugInfoOptions = {}): DebugInfo | undefined {
  const sections = new DebugSections(elf, '', options.cache)
  return sections.has('info') ? new DwarfInfo(elf, sections, options) : undefined
}

/** A name may stand for many entries (C: one per unit); more than this are not looked at. */
const maxMatches = 4096

class DwarfInfo implements DebugInfo {
  readonly #cache: IndexCache | undefined
  readonly #sections: DebugSections
  readonly #units: Units
  readonly #types: TypeReader
  readonly #lines: LineTable
  readonly #descriptors: number | undefined
  readonly #warnings: string[] = []
  readonly #functions = new Map<number, DebugFunction | undefined>()
  readonly #context: ScopeContext
  #index: NameIndex | undefined

  constructor(elf: ElfFile, sections: DebugSections, options: DebugInfoOptions) {
    this.#sections = sections
    this.#cache = options.cache
    this.#units = new Units(sections, options.split)
    this.#index = options.index && this.#usable(options.index)
    this.#lines = new LineTable(elf)
    this.#descriptors = options.types
    const entryAt = (reference: number | bigint): Entry => this.#entryAt(reference)
    this.#types = new TypeReader({
      ptrSize: elf.header.ptrSize,
      entryAt,
      descriptors: options.types,
      constantsOf: offset => this.#constantsOf(offset),
      definitionOf: declared => this.#definitionOf(declared),
    })
    this.#context = {
      entryAt,
      typeOf: entry => this.#types.typeOf(entry),
      fileAt: (entry, number) => this.#fileAt(entry, number),
    }
  }

  get warnings(): readonly string[] {
    return [...this.#units.warnings, ...this.#warnings, ...(this.#index ? this.#units.split.warnings : [])]
  }

  functionAt(addr: number): DebugFunction | undefined {
    const { codeBase, tables } = this.#names
    const position = tables.code.lowerBound(addr - codeBase + 1) - 1
    if (position < 0 || addr - codeBase >= 2 ** 32) return undefined
    // Several may begin at one address: the linker folded them, or one of them is a label.
    const key = tables.code.keyAt(position)
    for (let i = position; i >= 0 && tables.code.keyAt(i) === key; i--) {
      const found = this.#functionOf(tables.code.idAt(i), addr)
      if (found) return found
    }
    return undefined
  }

  findFunctions(name: string): readonly DebugFunction[] {
    return [...this.#find('functions', name)].flatMap(entry => this.#functionOf(entry.id) ?? [])
  }

  findGlobal(name: string): Global | undefined {
    let nowhere: Global | undefined
    for (const entry of this.#find('globals', name)) {
      const global = this.#globalOf(entry)
      if (global && global.location.bytes.length > 0) return global
      nowhere ??= global
    }
    return nowhere
  }

  findConstant(name: string): Constant | undefined {
    for (const entry of this.#find('constants', name)) {
      const constant = this.#constantOf(entry)
      if (constant) return constant
    }
    return this.#enumerator(name)
  }

  findType(name: string, near?: number): Type | undefined {
    const keyword = /^(struct|union|enum|class) (?!\{)/.exec(name)
    const long = longName(name)
    let incomplete: Type | undefined
    const plain = keyword ? name.slice(keyword[0].length) : name
    const unit = near === undefined ? undefined : this.#entryAt(near).unit
    const all = [...this.#find('types', plain), ...(long ? this.#find('types', long) : [])]
    const first = unit ? all.filter(entry => entry.unit === unit) : []
    for (const entry of [...first, ...all]) {
      const type = this.#types.at(entry.id)
      if (keyword && !type.name.startsWith(keyword[1]!) && keyword[1] !== 'class') continue
      // C has tags and typedefs in two name spaces: a bare name is a typedef before it is a tag.
      if ('incomplete' in type && type.incomplete) incomplete ??= type
      else return type
    }
    return incomplete
  }

  typeOfDescriptor(addr: number): Type | undefined {
    if (this.#descriptors === undefined) return undefined
    const offset = addr - this.#descriptors
    if (!(offset > 0 && offset < 2 ** 32)) return undefined
    const [found] = this.#names.tables.descriptors.find(offset)
    return found === undefined ? undefined : this.#types.at(found)
  }

  functionNames(): Iterable<string> {
    return this.#allNames('functions')
  }

  globalNames(): Iterable<string> {
    return this.#allNames('globals')
  }

  typeNames(): Iterable<string> {
    return this.#allNames('types')
  }

  hasPackage(name: string): boolean {
    return this.#find('packages', name).length > 0
  }

  *packages(): Generator<string> {
    const seen = new Set<string>()
    for (const id of this.#units.ids) {
      const name = this.#tried(() => {
        const unit = this.#units.at(id)
        return unit.isGo ? unit.root().text(At.name) : undefined
      })
      if (name === undefined || seen.has(name)) continue
      seen.add(name)
      yield name
    }
  }

  sources(): Iterable<string> {
    return this.#lines.sources()
  }

  lineAt(addr: number): SourcePlace | undefined {
    return this.#lines.find(addr)
  }

  addressesOf(file: string, line: number): readonly number[] {
    return this.#lines.addressesOf(file, line)
  }

  index(): Uint8Array {
    return writeIndex(this.#names, this.#sections.fingerprint())
  }

  get #names(): NameIndex {
    this.#index ??= this.#kept() ?? this.#built()
    return this.#index
  }

  #kept(): NameIndex | undefined {
    const bytes = this.#cache?.read(this.#sections.fingerprint())
    return bytes && this.#usable(bytes)
  }

  /** The index in these bytes, where it was made of this file and of what is found of those that it was split into. */
  #usable(bytes: Uint8Array): NameIndex | undefined {
    const index = readIndex(bytes, this.#sections.fingerprint())
    if (!index) return undefined
    if (index.skeletons === 0) this.#units.hasNoSplit()
    else if (crc32(this.#units.split.fingerprint) !== index.splitSum) return undefined
    this.#units.ids = index.units
    return index
  }

  #built(): NameIndex {
    const index = buildIndex(this.#units, this.#warnings)
    // What is damaged is looked at anew each time, for its warnings.
    if (this.#units.warnings.length + this.#warnings.length === 0) {
      const fingerprint = this.#sections.fingerprint()
      this.#cache?.write(fingerprint, [writeIndex(index, fingerprint)])
    }
    return index
  }

  #entryAt(reference: number | bigint): Entry {
    if (typeof reference === 'bigint') {
      const unit = this.#units.ofSignature(reference)
      const entry = unit && Entry.at(unit, unit.offset + (unit.typeOffset ?? 0))
      if (!entry) throw this.#sections.reader('info').error(`no type unit ${reference.toString(16)}`)
      return entry
    }
    return this.#units.entryAt(reference)
  }

  /** Entries of a table that a name means; an exact name goes before a short one. */
  #find(table: TableName, name: string): Entry[] {
    const wanted = plainPath(name)
    const [exact, short]: [Entry[], Entry[]] = [[], []]
    for (const offset of this.#names.tables[table].find(hashText(wanted))) {
      if (exact.length + short.length >= maxMatches) break
      const [entry, full] = this.#named(offset) ?? []
      if (!entry || full === undefined || !matches(full, wanted)) continue
      ;(full === wanted ? exact : short).push(entry)
    }
    return [...exact, ...short]
  }

  #named(offset: number): [entry: Entry, name: string | undefined] | undefined {
    return this.#tried(() => {
      const entry = this.#entryAt(offset)
      return [entry, having(origins(entry, this.#context), At.name)?.text(At.name)]
    })
  }

  *#allNames(table: TableName): Generator<string> {
    const seen = new Set<string>()
    const { length } = this.#names.tables[table]
    for (let i = 0; i < length; i++) {
      const name = this.#named(this.#names.tables[table].idAt(i))?.[1]
      if (name === undefined || seen.has(name)) continue
      seen.add(name)
      yield name
    }
  }

  #functionOf(offset: number, addr?: number): DebugFunction | undefined {
    const kept = this.#functions.get(offset)
    if (kept && (addr === undefined || (addr >= kept.low && addr < kept.high))) return kept
    const found = this.#tried(() => readFunction(this.#entryAt(offset), this.#context, addr))
    if (found) this.#functions.set(offset, found)
    return found
  }

  #globalOf(entry: Entry): Global | undefined {
    return this.#tried(() => {
      // Of a variable that the compiler did away with only its name and type are left.
      const [place] = readLocations(entry)
      const chain = origins(entry, this.#context)
      const name = having(chain, At.name)?.text(At.name)
      if (name === undefined) return undefined
      const expression = place?.expression ?? expressionOf(entry.unit, new Uint8Array(0))
      const addr = addressIn(expression)
      const typed = having(chain, At.type) ?? entry
      return {
        name,
        location: expression,
        offset: entry.id,
        ...(addr === undefined ? {} : { addr }),
        language: entry.unit.isGo ? 'go' : 'c',
        type: once(() => this.#types.typeOf(typed) ?? this.#types.at(typed.id)),
      }
    })
  }

  #constantOf(entry: Entry): Constant | undefined {
    return this.#tried(() => {
      const [name, value] = [entry.text(At.name), entry.integer(At.constValue)]
      if (name === undefined || value === undefined) return undefined
      return {
        name,
        value,
        offset: entry.id,
        type: once(() => this.#types.typeOf(entry) ?? this.#types.at(entry.id)),
      }
    })
  }

  /** C's enumerators are names of their own. */
  #enumerator(name: string): Constant | undefined {
    let looked = 0
    for (const id of this.#names.tables.enumerators.find(hashText(name))) {
      if (++looked > maxMatches) break
      const type = this.#types.at(id)
      const signed = type.kind === 'enum' && type.signed
      const value = this.#tried(() =>
        [...this.#entryAt(id).children()]
          .find(child => child.tag === Tag.enumerator && child.text(At.name) === name)
          ?.integer(At.constValue, signed),
      )
      if (value !== undefined) return { name, value, offset: id, type: () => type }
    }
    return undefined
  }

  #constantsOf(type: number): readonly NamedConstant[] {
    const found: NamedConstant[] = []
    for (const offset of this.#names.tables.typedConstants.find(type)) {
      const constant = this.#tried(() => this.#constantOf(this.#entryAt(offset)))
      if (constant && found.length < maxMatches)
        found.push({ name: behindPackage(constant.name), value: constant.value })
    }
    return found
  }

  #definitionOf(declared: Entry): Entry | undefined {
    const signature = declared.reference(At.signature)
    if (signature !== undefined) return this.#tried(() => this.#entryAt(signature))
    const name = declared.text(At.name)
    if (name === undefined) return undefined
    return this.#find('types', name).find(entry => entry.tag === declared.tag && !entry.flag(At.declaration))
  }

  #fileAt({ unit }: Entry, number: number): string | undefined {
    return this.#tried(() => {
      const root = (unit.skeleton ?? unit).root()
      const table = root.number(At.stmtList)
      return table === undefined ? undefined : this.#lines.fileAt(table, number, root.text(At.compDir))
    })
  }

  /** Damage in one entry means that it is not there. */
  #tried<T>(action: () => T): T | undefined {
    try {
      return action()
    } catch (error) {
      if (error instanceof FormatError) return undefined
      throw error
    }
  }
}

/** The address of a location that is nothing else. */
function addressIn({ bytes, addressAt, addrSize, littleEndian }: Global['location']): number | undefined {
  if (bytes[0] === Op.addr && bytes.length === 1 + addrSize) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    return addrSize === 8 ? Number(view.getBigUint64(1, littleEndian)) : view.getUint32(1, littleEndian)
  }
  if (bytes[0] !== LocationOp.addrx && bytes[0] !== LocationOp.gnuAddrIndex) return undefined
  const last = bytes.findIndex((byte, i) => i > 0 && byte < 128)
  if (last !== bytes.length - 1) return undefined
  return addressAt(bytes.subarray(1).reduceRight((index, byte) => index * 128 + (byte & 127), 0))
}

/** `time.January` as `January`; the path may have dots, too. */
function behindPackage(name: string): string {
  return name.slice(name.indexOf('.', name.lastIndexOf('/') + 1) + 1)
}
