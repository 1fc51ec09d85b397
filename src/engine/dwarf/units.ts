/**
 * All units of a program's file, and of those that its debug information was split into: found by walking their headers,
 * which only costs a jump each. Entries of all of them are counted in one row, their ids.
 */
import { FormatError } from '../../base/errors.ts'
import { At, UnitType } from './constants.ts'
import { Entry } from './entry.ts'
import type { DebugSections } from './sections.ts'
import { findSplit, type Part, partsOf, type Split, type SplitFiles, spanAt } from './split-units.ts'
import { readUnitHeader, Unit } from './unit.ts'

/** More than any program has. */
const maxUnits = 1 << 20

export class Units {
  readonly sections: DebugSections
  readonly #files: SplitFiles | undefined
  readonly #main: readonly Part[]
  readonly #units = new Map<number, Unit>()
  #split: Split | undefined
  #ids: Uint32Array | undefined
  #types: Map<bigint, Unit> | undefined
  readonly warnings: string[] = []

  constructor(sections: DebugSections, files?: SplitFiles) {
    this.sections = sections
    this.#files = files
    this.#main = partsOf(sections, 0)
  }

  /** Ids of the units' headers, ascending. */
  get ids(): Uint32Array {
    this.#ids ??= Uint32Array.from(
      [...this.#main, ...this.split.parts].flatMap(part => this.#walk(part).map(({ id }) => id)),
    )
    return this.#ids
  }

  /** From an index, so that they need not be walked. */
  set ids(ids: Uint32Array) {
    this.#ids = ids
  }

  /** What the program's file has split off, as far as it was found. */
  get split(): Split {
    if (!this.#split) {
      const skeletons = this.#main[0] ? this.#walk(this.#main[0]).filter(isSkeleton) : []
      const last = this.#main.at(-1)
      this.#split = findSplit(skeletons, this.#files, last ? last.base + last.reader.bytes.length : 0)
    }
    return this.#split
  }

  /** From an index: nothing was split off. */
  hasNoSplit(): void {
    this.#split = findSplit([], undefined, 0)
  }

  /** The unit whose header has this id. Throws FormatError where there is none. */
  at(id: number): Unit {
    let unit = this.#units.get(id)
    if (!unit) {
      const part = this.#partAt(id)
      const span = part && spanAt(part, id - part.base)
      const header = span && readUnitHeader(part.reader, id - part.base, part.section === 'types')
      if (!header) throw this.sections.reader('info').error(`no unit at ${id}`)
      unit = new Unit(header, span.place)
      this.#units.set(id, unit)
    }
    return unit
  }

  /** The entry with this id. Throws FormatError where there is none. */
  entryAt(id: number): Entry {
    const unit = this.#holding(id)
    const entry = Entry.at(unit, id - unit.base)
    if (!entry) throw unit.reader.error(`a reference to ${id}, where no entry is`)
    return entry
  }

  #partAt(id: number): Part | undefined {
    const within = ({ base, reader }: Part): boolean => id >= base && id < base + reader.bytes.length
    return this.#main.find(within) ?? this.split.parts.find(within)
  }

  #holding(id: number): Unit {
    const { ids } = this
    let [low, high] = [0, ids.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (ids[middle]! <= id) low = middle + 1
      else high = middle
    }
    const start = ids[low - 1]
    if (start === undefined) throw this.sections.reader('info').error(`no unit has an entry at ${id}`)
    return this.at(start)
  }

  /** The type unit that DW_FORM_ref_sig8 names. */
  ofSignature(signature: bigint): Unit | undefined {
    this.#types ??= this.#typeUnits()
    return this.#types.get(signature)
  }

  #typeUnits(): Map<bigint, Unit> {
    const found = new Map<bigint, Unit>()
    for (const id of this.ids) {
      const unit = this.at(id)
      if (unit.signature !== undefined && unit.typeOffset !== undefined) found.set(unit.signature, unit)
    }
    return found
  }

  /** Every unit of a section; a damaged header ends it, with a warning. */
  #walk(part: Part): Unit[] {
    const { base, reader, section, spans } = part
    const found: Unit[] = []
    try {
      for (const { low, high } of spans)
        for (let offset = low; offset < high && found.length < maxUnits; ) {
          const header = readUnitHeader(reader, offset, section === 'types')
          if (!header) break
          found.push(this.at(base + offset))
          offset = header.end
        }
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      const warning = `Debug information ends early: ${error.message}`
      if (!this.warnings.includes(warning)) this.warnings.push(warning)
    }
    return found
  }
}

/** Whether a unit says that it is in another file. */
function isSkeleton(unit: Unit): boolean {
  if (unit.version >= 5) return unit.type === UnitType.skeleton
  try {
    return unit.root().has(At.gnuDwoName)
  } catch (error) {
    if (error instanceof FormatError) return false
    throw error
  }
}
