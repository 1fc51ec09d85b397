/**
 * Builds the index in one pass over `.debug_info`: of each unit's own entries the names, addresses and runtime types;
 * what is inside functions and types is passed over. A damaged unit is left out with a warning.
 */
import { crc32 } from 'node:zlib'
import { FormatError } from '../../base/errors.ts'
import type { Abbrev } from './abbrev.ts'
import { At, Form, Tag } from './constants.ts'
import { Entry, readAddress, readReference, readText, skipStep, skipValues } from './entry.ts'
import { KeyTableBuilder, type NameIndex, type TableName, tableNames } from './name-index.ts'
import { readRanges } from './ranges.ts'
import { hashName, hashText } from './short-name.ts'
import { isTransparent, type Unit } from './unit.ts'
import type { Units } from './units.ts'

export function buildIndex(units: Units, warnings: string[]): NameIndex {
  const builder = new IndexBuilder(units)
  const { found } = units.split
  for (const id of units.ids) {
    // What a skeleton tells, the unit that was split off tells too.
    if (found.has(id)) continue
    try {
      builder.scan(units.at(id))
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      warnings.push(`A unit of debug information is left out: ${error.message}`)
    }
  }
  return builder.build()
}

/** Which table an entry of this kind goes to. */
function tableOf(tag: number): TableName | undefined {
  switch (tag) {
    case Tag.subprogram:
      return 'functions'
    case Tag.variable:
      return 'globals'
    case Tag.constant:
      return 'constants'
    case Tag.baseType:
    case Tag.structureType:
    case Tag.classType:
    case Tag.unionType:
    case Tag.enumerationType:
    case Tag.typedef:
    case Tag.pointerType:
    case Tag.arrayType:
    case Tag.subroutineType:
      return 'types'
    default:
      return undefined
  }
}

class IndexBuilder {
  readonly #units: Units
  readonly #tables: Record<TableName, KeyTableBuilder>
  /** Addresses of functions, and the ids of their entries. */
  readonly #code: [lows: number[], ids: number[]] = [[], []]
  /** Entries whose name another has (DW_AT_abstract_origin, DW_AT_specification), by the id of that. */
  readonly #referrals: Record<TableName, KeyTableBuilder>

  constructor(units: Units) {
    this.#units = units
    this.#tables = builders()
    this.#referrals = builders()
  }

  scan(unit: Unit): void {
    const { reader } = unit
    const abbrevs = unit.abbrevs()
    this.#addPackage(unit)
    reader.at = unit.first
    let enumeration = 0
    // How deep we are, and how deep entries still count as the unit's own: below namespaces, too.
    for (let [depth, open] = [0, 1]; reader.at < unit.end; ) {
      const offset = reader.at
      const code = reader.uleb()
      if (code === 0) {
        depth--
        if (depth <= 0) return
        if (depth < open) open = depth
        continue
      }
      const abbrev = abbrevs[code]
      if (!abbrev) throw reader.error(`an entry of unknown abbreviation ${code}`)
      const table = depth === open ? tableOf(abbrev.tag) : undefined
      if (abbrev.tag === Tag.enumerationType) enumeration = unit.base + offset
      if (table) this.#visit(unit, abbrev, offset, table)
      else if (abbrev.tag === Tag.enumerator && depth === open + 1)
        this.#visitEnumerator(unit, abbrev, enumeration)
      else skipValues(reader, abbrev, unit)
      if (abbrev.hasChildren) {
        if (depth === open && isTransparent(abbrev.tag)) open++
        depth++
      } else if (depth === 0) return
    }
  }

  build(): NameIndex {
    for (const name of tableNames) this.#addReferrals(name)
    const [lows, ids] = this.#code
    const base = lows.reduce((least, low) => Math.min(least, low), lows[0] ?? 0)
    for (let i = 0; i < lows.length; i++)
      if (lows[i]! - base < 2 ** 32) this.#tables.code.add(lows[i]! - base, ids[i]!)
    const tables = Object.fromEntries(tableNames.map(name => [name, this.#tables[name].build()]))
    const { skeletons, fingerprint } = this.#units.split
    return {
      units: this.#units.ids,
      codeBase: base,
      tables: tables as NameIndex['tables'],
      skeletons,
      splitSum: crc32(fingerprint),
    }
  }

  /** In the order of what they refer to, which is often the same for many. */
  #addReferrals(name: TableName): void {
    const referrals = this.#referrals[name].build()
    let [origin, hash]: [number, number | undefined] = [-1, undefined]
    for (let i = 0; i < referrals.length; i++) {
      if (referrals.keyAt(i) !== origin) hash = this.#hashAt(referrals.keyAt(i))
      origin = referrals.keyAt(i)
      if (hash !== undefined) this.#tables[name].add(hash, referrals.idAt(i))
    }
  }

  /** Takes what the entry says of itself and leaves the reader behind it. */
  #visit(unit: Unit, abbrev: Abbrev, offset: number, table: TableName): void {
    const { reader } = unit
    const { attributes, forms, each } = abbrev
    const id = unit.base + offset
    let hash: number | undefined
    let origin: number | undefined
    let low: number | undefined
    let typeOffset: number | undefined
    let ranges = false
    let isDeclaration = false
    for (let i = 0; i < each.length; i++) {
      // Not as a pair: a million of those would be most of what there is to collect.
      const form = forms[i]!
      const { at } = reader
      switch (attributes[i]) {
        case At.name:
          hash = hashOf(unit, form)
          break
        case At.abstractOrigin:
        case At.specification:
          origin = refer(unit, form)
          break
        case At.lowPc:
          if (table === 'functions') low = readAddress(unit, form)
          break
        case At.ranges:
          ranges = table === 'functions'
          break
        case At.declaration:
          isDeclaration = true
          break
        case At.type:
          if (table === 'constants') typeOffset = refer(unit, form)
          break
        case At.goRuntimeType: {
          const descriptor = reader.uint(unit.addrSize)
          if (descriptor > 0 && descriptor < 2 ** 32) this.#tables.descriptors.add(descriptor, id)
          break
        }
      }
      reader.at = at
      skipStep(reader, each[i]!, unit)
    }
    if (reader.at > unit.end) throw reader.error('an entry runs out of its unit')
    const end = reader.at
    // A declaration only tells that there is one elsewhere.
    if (!isDeclaration) {
      if (hash !== undefined) this.#tables[table].add(hash, id)
      else if (origin !== undefined) this.#referrals[table].add(origin, id)
    }
    if (typeOffset !== undefined) this.#tables.typedConstants.add(typeOffset, id)
    if (ranges) this.#addRanges(unit, offset)
    else if (low !== undefined) this.#addCode(low, id)
    reader.at = end
  }

  /** Its entry has no type; that is the one around it, for which the name stands. */
  #visitEnumerator(unit: Unit, { attributes, forms, each }: Abbrev, enumeration: number): void {
    const { reader } = unit
    for (let i = 0; i < each.length; i++) {
      const at = reader.at
      const hash = attributes[i] === At.name ? hashOf(unit, forms[i]!) : undefined
      if (hash !== undefined) this.#tables.enumerators.add(hash, enumeration)
      reader.at = at
      skipStep(reader, each[i]!, unit)
    }
    if (reader.at > unit.end) throw reader.error('an entry runs out of its unit')
  }

  /** Go has a unit for each package, which is named for it. */
  #addPackage(unit: Unit): void {
    const hash = unit.isGo ? hashOfEntry(unit.root(), this.#units) : undefined
    if (hash !== undefined) this.#tables.packages.add(hash, unit.root().id)
  }

  #addCode(low: number, id: number): void {
    // A function that the linker dropped is left at address 0.
    if (low === 0) return
    this.#code[0].push(low)
    this.#code[1].push(id)
  }

  #addRanges(unit: Unit, offset: number): void {
    const entry = Entry.at(unit, offset)
    for (const { low } of entry ? readRanges(entry) : []) this.#addCode(low, unit.base + offset)
  }

  #hashAt(id: number): number | undefined {
    try {
      return hashOfEntry(this.#units.entryAt(id), this.#units)
    } catch (error) {
      if (error instanceof FormatError) return undefined
      throw error
    }
  }
}

function builders(): Record<TableName, KeyTableBuilder> {
  return Object.fromEntries(tableNames.map(name => [name, new KeyTableBuilder()])) as Record<
    TableName,
    KeyTableBuilder
  >
}

/** Of the name of an entry, or of the one that it stands for. */
function hashOfEntry(entry: Entry, units: Units): number | undefined {
  for (let hops = 0, at = entry; hops < 8; hops++) {
    const form = at.form(At.name)
    if (form !== undefined) return hashOf(at.unit, form)
    const origin = at.reference(At.abstractOrigin) ?? at.reference(At.specification)
    if (typeof origin !== 'number') return undefined
    at = units.entryAt(origin)
  }
  return undefined
}

/** The hash of a name, mostly without making a text of it. */
function hashOf(unit: Unit, form: number): number | undefined {
  const { reader } = unit
  if (form === Form.string) return hashName(reader.bytes, reader.at)
  if (form === Form.strp) return hashName(unit.sections.reader('str').bytes, reader.uint(unit.offsetSize))
  const text = readText(unit, form)
  return text === undefined ? undefined : hashText(text)
}

function refer(unit: Unit, form: number): number | undefined {
  const to = readReference(unit, form)
  return typeof to === 'number' ? to : undefined
}
