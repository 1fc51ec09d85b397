/** All units of a file: found by walking their headers, which only costs a jump each. */
import { FormatError } from '../../base/errors.ts'
import { Entry } from './entry.ts'
import type { DebugSections } from './sections.ts'
import { AbbrevTables, readUnitHeader, typesOrigin, Unit } from './unit.ts'

/** More than any program has. */
const maxUnits = 1 << 20

export class Units {
  readonly sections: DebugSections
  readonly #tables = new AbbrevTables()
  #offsets: Uint32Array | undefined
  readonly #units = new Map<number, Unit>()
  #types: Map<bigint, Unit> | undefined
  readonly warnings: string[] = []

  constructor(sections: DebugSections) {
    this.sections = sections
  }

  /** Offsets of the units' headers in `.debug_info`, ascending. */
  get offsets(): Uint32Array {
    this.#offsets ??= Uint32Array.from(this.#walk('info', unit => unit.offset))
    return this.#offsets
  }

  /** From an index, so that they need not be walked. */
  set offsets(offsets: Uint32Array) {
    this.#offsets = offsets
  }

  /** The unit whose header is at `offset`. Throws FormatError where there is none. */
  at(offset: number): Unit {
    let unit = this.#units.get(offset)
    if (!unit) {
      const reader = this.sections.reader('info')
      const header = readUnitHeader(reader, offset)
      if (!header) throw reader.error('no unit')
      unit = new Unit(header, 'info', this.sections, this.#tables)
      this.#units.set(offset, unit)
    }
    return unit
  }

  /** The entry that a reference means. Throws FormatError where there is none. */
  entryAt(reference: number): Entry {
    const inTypes = reference >= typesOrigin
    const offset = inTypes ? reference - typesOrigin : reference
    const unit = inTypes ? this.#holdingType(offset) : this.#holding(offset)
    const entry = unit && Entry.at(unit, offset)
    if (!entry) throw this.sections.reader('info').error(`a reference to ${reference}, where no entry is`)
    return entry
  }

  #holdingType(offset: number): Unit | undefined {
    this.#types ??= this.#typeUnits()
    for (const unit of this.#types.values())
      if (unit.section === 'types' && offset >= unit.offset && offset < unit.end) return unit
    return undefined
  }

  #holding(offset: number): Unit {
    const { offsets } = this
    let [low, high] = [0, offsets.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (offsets[middle]! <= offset) low = middle + 1
      else high = middle
    }
    const start = offsets[low - 1]
    if (start === undefined) throw this.sections.reader('info').error(`no unit has an entry at ${offset}`)
    return this.at(start)
  }

  /** The type unit that DW_FORM_ref_sig8 names. */
  ofSignature(signature: bigint): Unit | undefined {
    this.#types ??= this.#typeUnits()
    return this.#types.get(signature)
  }

  #typeUnits(): Map<bigint, Unit> {
    const found = new Map<bigint, Unit>()
    const add = (unit: Unit): void => {
      if (unit.signature !== undefined && unit.typeOffset !== undefined) found.set(unit.signature, unit)
    }
    for (const offset of this.offsets) add(this.at(offset))
    this.#walk('types', add)
    return found
  }

  /** Every unit of a section; a damaged header ends it, with a warning. */
  #walk<T>(section: 'info' | 'types', visit: (unit: Unit) => T): T[] {
    const reader = this.sections.reader(section)
    const found: T[] = []
    try {
      for (let offset = 0; found.length < maxUnits; ) {
        const header = readUnitHeader(reader, offset, section === 'types')
        if (!header) break
        found.push(visit(new Unit(header, section, this.sections, this.#tables)))
        offset = header.end
      }
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      this.warnings.push(`Debug information ends early: ${error.message}`)
    }
    return found
  }
}
