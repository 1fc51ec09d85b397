/**
 * Split DWARF: the program has skeletons of its units, with the addresses, and names the files that have the rest
 * (`.dwo`; DWARF 5 section 3.1.3, before it GNU's). A file is taken only where its unit has the number that the skeleton
 * tells; of a unit that is not found the skeleton is all there is.
 */
import { FormatError } from '../../base/errors.ts'
import type { ElfFile } from '../elf/file.ts'
import { At } from './constants.ts'
import type { DataReader } from './data-reader.ts'
import { DebugSections } from './sections.ts'
import { isPackage, type PackagedUnit, readPackageIndex } from './split-package.ts'
import { AbbrevTables, readUnitHeader, Unit, type UnitPlace } from './unit.ts'

/** Where files of split debug information come from. Whoever opens them keeps them open. */
export interface SplitFiles {
  /** Packages that may have units of the program, the likeliest first. */
  packages(): Iterable<ElfFile>
  /** Files that may be the one that a unit calls `name`, from `directory` (DW_AT_comp_dir), the likeliest first. */
  files(name: string, directory: string | undefined): Iterable<ElfFile>
  /** Hears what was not found, a sentence each. */
  warn?(sentence: string): void
}

/** Units from `low` up to `high` of a section, all of one place. */
export interface Span {
  readonly low: number
  readonly high: number
  readonly place: UnitPlace
}

/** A section of units. */
export interface Part {
  readonly section: 'info' | 'types'
  readonly reader: DataReader
  /** Id of an entry at its start. */
  readonly base: number
  /** Ascending. */
  readonly spans: readonly Span[]
}

export interface Split {
  readonly parts: readonly Part[]
  /** Ids of skeletons whose units were found: those have all that the skeleton has. */
  readonly found: ReadonlySet<number>
  /** How many skeletons there are. */
  readonly skeletons: number
  /** Changes with what was found. */
  readonly fingerprint: string
  readonly warnings: readonly string[]
}

/** Ids are kept in 32 bits. */
const maxIds = 2 ** 32
const maxFiles = 1 << 14

/** The span that holds an offset of the section. */
export function spanAt({ spans }: Part, offset: number): Span | undefined {
  let [low, high] = [0, spans.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (spans[middle]!.low <= offset) low = middle + 1
    else high = middle
  }
  const span = spans[low - 1]
  return span && offset < span.high ? span : undefined
}

/** The sections of units that one file has, each as a whole, the first with ids from `base` on. */
export function partsOf(
  sections: DebugSections,
  base: number,
  skeletonOf?: UnitPlace['skeletonOf'],
): readonly Part[] {
  const parts: Part[] = []
  const tables = new AbbrevTables()
  for (const section of ['info', 'types'] as const) {
    if (!sections.has(section)) continue
    const reader = sections.reader(section)
    const split = skeletonOf ? { skeletonOf } : {}
    const place = { section, reader, base, origin: 0, sections, tables, ...split }
    parts.push({ section, reader, base, spans: [{ low: 0, high: reader.bytes.length, place }] })
    base += reader.bytes.length
  }
  return parts
}

/** The units of `skeletons`, with ids from `base` on. Without `files` none is looked for. */
export function findSplit(skeletons: readonly Unit[], files: SplitFiles | undefined, base: number): Split {
  const finder = new SplitFinder(skeletons, base)
  if (files && skeletons.length > 0) {
    for (const elf of files.packages()) finder.addPackage(elf)
    for (const skeleton of skeletons) finder.addFileOf(skeleton, files)
  }
  const split = finder.split()
  for (const sentence of files ? split.warnings : []) files?.warn?.(sentence)
  return split
}

class SplitFinder {
  readonly #skeletons = new Map<bigint, Unit>()
  readonly #parts: Part[] = []
  readonly #found = new Set<number>()
  /** By path, so that a file with several units is taken once. */
  readonly #taken = new Set<string>()
  readonly #fingerprints: string[] = []
  readonly #missing: string[] = []
  readonly #refused: string[] = []
  #end: number
  #full = false

  constructor(skeletons: readonly Unit[], base: number) {
    this.#end = base
    for (const skeleton of skeletons) {
      const id = tried(() => skeleton.dwoId)
      if (id !== undefined) this.#skeletons.set(id, skeleton)
    }
  }

  addPackage(elf: ElfFile): void {
    tried(() => {
      const units = readPackageIndex(elf, 'compile').filter(({ id }) => this.#skeletons.has(id))
      if (units.length === 0 || this.#taken.has(elf.source.name)) return
      const whole = new DebugSections(elf, '.dwo')
      const all = [...units, ...readPackageIndex(elf, 'type')]
      const parts = packagedParts(elf, whole, all, this.#end, this.#skeletonOf)
      if (!this.#add(whole, parts)) return
      for (const { id } of units) this.#found.add(this.#skeletons.get(id)!.id)
    })
  }

  addFileOf(skeleton: Unit, files: SplitFiles): void {
    if (this.#found.has(skeleton.id)) return
    const root = tried(() => skeleton.root())
    const name = tried(() => root?.text(At.dwoName) ?? root?.text(At.gnuDwoName))
    const wanted = tried(() => skeleton.dwoId)
    if (name === undefined || wanted === undefined) return
    let refused: string | undefined
    for (const elf of this.#taken.size < maxFiles
      ? files.files(
          name,
          tried(() => root?.text(At.compDir)),
        )
      : []) {
      // One that was taken has all its units found.
      if (this.#taken.has(elf.source.name) || isPackage(elf)) continue
      const sections = new DebugSections(elf, '.dwo')
      const parts = tried(() => partsOf(sections, this.#end, this.#skeletonOf)) ?? []
      const ids = tried(() => unitIds(parts)) ?? []
      if (ids.includes(wanted)) {
        if (!this.#add(sections, parts)) return
        for (const id of ids) {
          const of = this.#skeletons.get(id)
          if (of) this.#found.add(of.id)
        }
        return
      }
      refused ??= `${elf.source.name} is of another build: ${ids.length > 0 ? `its unit has the id ${ids[0]!.toString(16)}` : 'it has no unit with an id'}, the program's ${wanted.toString(16)}`
    }
    if (refused === undefined) this.#missing.push(name)
    else this.#refused.push(refused)
  }

  split(): Split {
    const lost = 'frames of its code have names and lines, and no variables'
    const warnings: string[] = []
    const more = (count: number): string =>
      count > 1 ? ` So ${count === 2 ? 'is 1 more' : `are ${count - 1} more`}.` : ''
    if (this.#missing.length > 0)
      warnings.push(
        `Split debug information is missing, ${this.#missing[0]}: ${lost}.${more(this.#missing.length)}`,
      )
    if (this.#refused.length > 0) warnings.push(`${this.#refused[0]}: ${lost}.${more(this.#refused.length)}`)
    if (this.#full) warnings.push('Split debug information is larger than 4 GB, the rest of it is left out.')
    return {
      parts: this.#parts,
      found: this.#found,
      skeletons: this.#skeletons.size,
      fingerprint: [...this.#fingerprints, ...this.#missing, ...this.#refused].join('\n'),
      warnings,
    }
  }

  #add(sections: DebugSections, parts: readonly Part[]): boolean {
    const end = parts.reduce((sum, { reader }) => sum + reader.bytes.length, this.#end)
    if (end >= maxIds) this.#full = true
    if (end >= maxIds) return false
    this.#taken.add(sections.file)
    this.#parts.push(...parts)
    this.#fingerprints.push(sections.fingerprint())
    this.#end = end
    return true
  }

  readonly #skeletonOf = (unit: Unit): Unit | undefined => {
    const id = unit.dwoId
    return id === undefined ? undefined : this.#skeletons.get(id)
  }
}

/** The numbers of the units of a `.dwo` file. */
function unitIds(parts: readonly Part[]): bigint[] {
  const ids: bigint[] = []
  for (const { reader, section, spans } of parts) {
    const place = spans[0]?.place
    if (section === 'types' || !place) continue
    for (let offset = 0; ; ) {
      const header = readUnitHeader(reader, offset)
      if (!header) break
      const id = new Unit(header, place).dwoId
      if (id !== undefined) ids.push(id)
      offset = header.end
    }
  }
  return ids
}

/** Each unit of a package refers to its own slices of the other sections; those of one file have the same. */
function packagedParts(
  elf: ElfFile,
  whole: DebugSections,
  units: readonly PackagedUnit[],
  base: number,
  skeletonOf: UnitPlace['skeletonOf'],
): readonly Part[] {
  const shared = new Map<string, Pick<UnitPlace, 'sections' | 'tables'>>()
  const parts: Part[] = []
  for (const section of ['info', 'types'] as const) {
    if (!whole.has(section)) continue
    const reader = whole.reader(section)
    const spans: Span[] = []
    for (const { slices } of units) {
      const own = slices.get(section)
      if (!own || own.size === 0 || own.offset + own.size > reader.bytes.length) continue
      const others = new Map([...slices].filter(([name]) => name !== 'info' && name !== 'types'))
      const key = JSON.stringify([...others])
      let made = shared.get(key)
      if (!made) {
        made = { sections: new DebugSections(elf, '.dwo', undefined, others), tables: new AbbrevTables() }
        shared.set(key, made)
      }
      const place = {
        section,
        reader,
        base,
        origin: own.offset,
        ...made,
        ...(skeletonOf ? { skeletonOf } : {}),
      }
      spans.push({ low: own.offset, high: own.offset + own.size, place })
    }
    spans.sort((a, b) => a.low - b.low)
    parts.push({
      section,
      reader,
      base,
      spans: spans.filter((span, i) => i === 0 || span.low >= spans[i - 1]!.high),
    })
    base += reader.bytes.length
  }
  return parts
}

/** Damage means that it is not there. */
function tried<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}
