/**
 * Units of `.debug_info` and `.debug_types`: their headers (DWARF 5 section 7.5.1; versions 2 to 5) and the attributes of
 * their first entry that the rest of the unit refers to.
 */
import { type Abbrev, readAbbrevs } from './abbrev.ts'
import { At, languageGo, Tag, UnitType } from './constants.ts'
import type { DataReader } from './data-reader.ts'
import { Entry } from './entry.ts'
import type { DebugSections, SectionName } from './sections.ts'

export interface UnitHeader {
  /** Offset of the header in its section. */
  readonly offset: number
  readonly end: number
  readonly version: number
  readonly is64: boolean
  readonly addrSize: number
  readonly abbrevOffset: number
  readonly type: number
  /** Offset of the first entry. */
  readonly first: number
  /** Of type units: the number by which DW_FORM_ref_sig8 refers to it, and where in the unit its type is. */
  readonly signature?: bigint
  readonly typeOffset?: number
}

/** The header at `offset`; undefined behind the last one. */
export function readUnitHeader(reader: DataReader, offset: number, inTypes = false): UnitHeader | undefined {
  reader.at = offset
  if (offset >= reader.bytes.length) return undefined
  let length = reader.uint(4)
  const is64 = length === 0xffffffff
  if (is64) length = reader.uint(8)
  const end = reader.at + length
  if (!(end <= reader.bytes.length)) throw reader.error(`a unit of ${length} bytes`)
  const version = reader.uint(2)
  if (version < 2 || version > 5) throw reader.error(`a unit of version ${version}`)
  let type: number = inTypes ? UnitType.type : UnitType.compile
  let [addrSize, abbrevOffset] = [8, 0]
  if (version === 5) {
    type = reader.u8()
    addrSize = reader.u8()
    abbrevOffset = reader.uint(is64 ? 8 : 4)
  } else {
    abbrevOffset = reader.uint(is64 ? 8 : 4)
    addrSize = reader.u8()
  }
  if (addrSize !== 4 && addrSize !== 8) throw reader.error(`addresses of ${addrSize} bytes`)
  const header = { offset, end, version, is64, addrSize, abbrevOffset, type }
  if (type === UnitType.type || type === UnitType.splitType) {
    const signature = reader.u64()
    return { ...header, signature, typeOffset: reader.uint(is64 ? 8 : 4), first: reader.at }
  }
  // Both have the number that ties a skeleton to its split unit.
  if (type === UnitType.skeleton || type === UnitType.splitCompile)
    return { ...header, signature: reader.u64(), first: reader.at }
  return { ...header, first: reader.at }
}

/** From where the unit's numbers count in the tables of other sections. */
interface Bases {
  readonly addr: number
  readonly str: number
  readonly loclists: number
  readonly rnglists: number
  readonly ranges: number
  readonly isGo: boolean
}

/** Where a unit lies, and where what its numbers refer to does. */
export interface UnitPlace {
  readonly section: 'info' | 'types'
  /** Of that section, shared: set its position before use. */
  readonly reader: DataReader
  /** Id of an entry at the section's start: entries of all sections and files of a program are counted in one row. */
  readonly base: number
  /** Offset in the section from which DW_FORM_ref_addr counts: in a package, where the unit's own file begins. */
  readonly origin: number
  /** The sections that its numbers refer to. */
  readonly sections: DebugSections
  readonly tables: AbbrevTables
  /** Of split DWARF: the unit of the main file that has the addresses. */
  readonly skeletonOf?: (unit: Unit) => Unit | undefined
}

export class Unit implements UnitHeader {
  readonly offset: number
  readonly end: number
  readonly version: number
  readonly is64: boolean
  readonly addrSize: number
  readonly abbrevOffset: number
  readonly type: number
  readonly first: number
  readonly signature?: bigint
  readonly typeOffset?: number
  readonly sections: DebugSections
  /** The reader of the unit's section, shared: set its position before use. */
  readonly reader: DataReader
  readonly #place: UnitPlace
  #skeleton: { readonly unit: Unit | undefined } | undefined
  #abbrevs: readonly (Abbrev | undefined)[] | undefined
  #root: Entry | undefined
  #bases: Bases | undefined

  constructor(header: UnitHeader, place: UnitPlace) {
    this.offset = header.offset
    this.end = header.end
    this.version = header.version
    this.is64 = header.is64
    this.addrSize = header.addrSize
    this.abbrevOffset = header.abbrevOffset
    this.type = header.type
    this.first = header.first
    if (header.signature !== undefined) this.signature = header.signature
    if (header.typeOffset !== undefined) this.typeOffset = header.typeOffset
    this.sections = place.sections
    this.reader = place.reader
    this.#place = place
  }

  /** Id of an entry at the start of the unit's section. */
  get base(): number {
    return this.#place.base
  }

  /** Id of the unit's header, from which references within the unit count. */
  get id(): number {
    return this.base + this.offset
  }

  /** Id from which DW_FORM_ref_addr counts. */
  get origin(): number {
    return this.base + this.#place.origin
  }

  /** Whether it is one of a `.dwo` file or of a package of them. */
  get isSplit(): boolean {
    return this.#place.skeletonOf !== undefined
  }

  /** In split DWARF, the unit of the main file, which has the addresses; undefined for type units. */
  get skeleton(): Unit | undefined {
    this.#skeleton ??= { unit: this.typeOffset === undefined ? this.#place.skeletonOf?.(this) : undefined }
    return this.#skeleton.unit
  }

  /** The number that ties a skeleton to its split unit: in the header, before DWARF 5 an attribute. */
  get dwoId(): bigint | undefined {
    if (this.typeOffset !== undefined) return undefined
    return this.version >= 5 ? this.signature : this.root().integer(At.gnuDwoId)
  }

  get offsetSize(): 4 | 8 {
    return this.is64 ? 8 : 4
  }

  abbrevs(): readonly (Abbrev | undefined)[] {
    this.#abbrevs ??= this.#place.tables.at(this.sections, this)
    return this.#abbrevs
  }

  /** DW_TAG_compile_unit or its like; throws FormatError where there is none. */
  root(): Entry {
    this.#root ??= Entry.at(this, this.first)
    if (!this.#root) throw this.reader.error('a unit without an entry')
    return this.#root
  }

  get isGo(): boolean {
    return this.#based().isGo
  }

  /** From which DW_AT_low_pc addresses in range and location lists count. */
  get lowPc(): number {
    return this.skeleton ? this.skeleton.lowPc : (this.root().address(At.lowPc) ?? 0)
  }

  /** Entry `index` of `.debug_addr`. */
  addressAt(index: number): number {
    if (this.skeleton) return this.skeleton.addressAt(index)
    return this.#tableEntry('addr', this.#based().addr, index, this.addrSize)
  }

  /** Text `index` of `.debug_str_offsets`. */
  textAt(index: number): string {
    return this.text('str', this.#tableEntry('strOffsets', this.#based().str, index, this.offsetSize))
  }

  /** Offset of list `index` (DW_FORM_loclistx, DW_FORM_rnglistx). */
  listAt(name: 'loclists' | 'rnglists', index: number): number {
    const base = this.#based()[name]
    return base + this.#tableEntry(name, base, index, this.offsetSize)
  }

  /** Where DW_AT_ranges counts before DWARF 5. GNU's split units have theirs in the main file, from an offset on. */
  get debugRanges(): { readonly reader: DataReader; readonly base: number } {
    const { sections } = this.skeleton ?? this
    return { reader: sections.reader('ranges'), base: this.skeleton ? this.skeleton.#based().ranges : 0 }
  }

  /** NUL-terminated text in a section. */
  text(name: 'str' | 'lineStr', offset: number): string {
    const reader = this.sections.reader(name)
    if (!(offset < reader.bytes.length)) throw reader.error(`text at ${offset}`)
    reader.at = offset
    return reader.text()
  }

  #tableEntry(name: SectionName, base: number, index: number, size: number): number {
    const reader = this.sections.reader(name)
    reader.at = base + index * size
    return reader.uint(size)
  }

  #based(): Bases {
    this.#bases ??= this.#readBases()
    return this.#bases
  }

  /** Numbers only: the root's text may need the very base that stands in it. */
  #readBases(): Bases {
    const root = this.root()
    const { offsetSize } = this
    const split = this.isSplit
    // A split unit has no base attributes: its tables begin behind their only header (DWARF 5 section 7.26 on).
    const header = split && this.version >= 5 ? (this.is64 ? 16 : 8) : 0
    const lists = split && this.version >= 5 ? header + 4 : 0
    return {
      addr:
        root.number(At.addrBase) ?? root.number(At.gnuAddrBase) ?? (this.version >= 5 ? 2 * offsetSize : 0),
      str: root.number(At.strOffsetsBase) ?? (this.version >= 5 ? 2 * offsetSize : header),
      loclists: root.number(At.loclistsBase) ?? (split ? lists : 2 * offsetSize + 4),
      rnglists: root.number(At.rnglistsBase) ?? (split ? lists : 2 * offsetSize + 4),
      ranges: root.number(At.gnuRangesBase) ?? 0,
      isGo: root.number(At.language) === languageGo,
    }
  }
}

/** Abbreviation tables by offset, shared by the units of a file: Go's linker writes one for all. */
export class AbbrevTables {
  readonly #tables = new Map<string, readonly (Abbrev | undefined)[]>()

  at(sections: DebugSections, unit: UnitHeader): readonly (Abbrev | undefined)[] {
    const { abbrevOffset, addrSize, is64, version } = unit
    const key = `${abbrevOffset} ${addrSize} ${is64} ${version === 2}`
    let table = this.#tables.get(key)
    if (!table) {
      table = readAbbrevs(sections, abbrevOffset, unit)
      this.#tables.set(key, table)
    }
    return table
  }
}

/** Whether entries below one of this kind count as those of the unit itself. */
export function isTransparent(tag: number): boolean {
  return tag === Tag.namespace || tag === Tag.module
}
