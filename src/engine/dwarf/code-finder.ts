/**
 * Functions of C code by address, without the index of names: a report asks for a few addresses, and must not pay for a
 * pass over all debug information. Units are known by the addresses of their first entry, functions by those of theirs.
 */
import { FormatError } from '../../base/errors.ts'
import type { ElfFile } from '../elf/file.ts'
import { At, Tag } from './constants.ts'
import type { DebugFunction, Range } from './debug-info.ts'
import type { Entry } from './entry.ts'
import { readFunction } from './function-reader.ts'
import type { LineTable } from './line-table.ts'
import { contains, readRanges } from './ranges.ts'
import type { ScopeContext } from './scope-reader.ts'
import { DebugSections } from './sections.ts'
import { isTransparent, type Unit } from './unit.ts'
import { Units } from './units.ts'

interface Covered<T> {
  readonly ranges: readonly Range[]
  readonly what: T
}

/** Namespaces in namespaces. */
const maxNesting = 64

export class CodeFinder {
  readonly #units: Units | undefined
  readonly #context: ScopeContext
  #covered: readonly Covered<Unit>[] | undefined
  readonly #functions = new Map<Unit, readonly Covered<Entry>[]>()
  readonly #found = new Map<number, DebugFunction | undefined>()

  /** `lines`: of the same file. */
  constructor(elf: ElfFile, lines: LineTable) {
    const sections = new DebugSections(elf)
    this.#units = sections.has('info') ? new Units(sections) : undefined
    this.#context = {
      entryAt: reference => {
        if (typeof reference === 'number') return this.#units!.entryAt(reference)
        throw sections.reader('info').error('a function in a type unit')
      },
      // Nobody asks for variables here.
      typeOf: () => undefined,
      fileAt: ({ unit }, number) =>
        tried(() => {
          const table = unit.root().number(At.stmtList)
          return table === undefined ? undefined : lines.fileAt(table, number, unit.root().text(At.compDir))
        }),
    }
  }

  /** The function of C code at an address of the file; undefined where debug information has none, or is damaged. */
  at(addr: number): DebugFunction | undefined {
    if (!this.#found.has(addr)) this.#found.set(addr, this.#find(addr))
    return this.#found.get(addr)
  }

  #find(addr: number): DebugFunction | undefined {
    this.#covered ??= this.#units ? coveredUnits(this.#units) : []
    for (const { ranges, what: unit } of this.#covered) {
      if (!contains(ranges, addr)) continue
      const entry = this.#functionsOf(unit).find(covered => contains(covered.ranges, addr))?.what
      const found = entry && tried(() => readFunction(entry, this.#context, addr))
      if (found) return found
    }
    return undefined
  }

  #functionsOf(unit: Unit): readonly Covered<Entry>[] {
    let known = this.#functions.get(unit)
    if (!known) {
      const found: Covered<Entry>[] = []
      tried(() => addFunctions(unit.root(), found, 0))
      known = found
      this.#functions.set(unit, known)
    }
    return known
  }
}

/** Go's units are passed over: pclntab knows its functions. */
function coveredUnits(units: Units): Covered<Unit>[] {
  const found: Covered<Unit>[] = []
  for (const id of units.ids)
    tried(() => {
      const unit = units.at(id)
      if (unit.typeOffset !== undefined || unit.isGo) return
      const ranges = readRanges(unit.root())
      if (ranges.length > 0) found.push({ ranges, what: unit })
    })
  return found
}

function addFunctions(parent: Entry, found: Covered<Entry>[], nesting: number): void {
  for (const entry of parent.children()) {
    if (entry.tag === Tag.subprogram) {
      const ranges = readRanges(entry)
      if (ranges.length > 0) found.push({ ranges, what: entry })
    } else if (isTransparent(entry.tag) && nesting < maxNesting) addFunctions(entry, found, nesting + 1)
  }
}

/** Damage in one entry means that it is not there. */
function tried<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}
