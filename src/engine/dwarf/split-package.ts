/**
 * The index of a package of split units (`.dwp`): `.debug_cu_index` and `.debug_tu_index` say by a unit's number which
 * piece of each section is its own. DWARF 5 section 7.3.5; version 2 is GNU's for DWARF 4.
 */
import type { ElfFile } from '../elf/file.ts'
import { DataReader } from './data-reader.ts'
import type { SectionName, SectionSlice } from './sections.ts'

export interface PackagedUnit {
  /** The dwo id, or the signature of a type unit. */
  readonly id: bigint
  readonly slices: ReadonlyMap<SectionName, SectionSlice>
}

/** Rows and columns that a real index has no more of. */
const maxUnits = 1 << 20
const maxColumns = 16

/** Sections by DW_SECT number, from 1. */
const columnsOf: Readonly<Record<number, readonly (SectionName | undefined)[]>> = {
  2: ['info', 'types', 'abbrev', 'line', 'loc', 'strOffsets'],
  5: ['info', undefined, 'abbrev', 'line', 'loclists', 'strOffsets', undefined, 'rnglists'],
}

export const isPackage = (elf: ElfFile): boolean => elf.section('.debug_cu_index') !== undefined

/** Units that the package has; empty where it has no such index. Throws FormatError where it is damaged. */
export function readPackageIndex(elf: ElfFile, kind: 'compile' | 'type'): readonly PackagedUnit[] {
  const label = kind === 'compile' ? '.debug_cu_index' : '.debug_tu_index'
  const bytes = elf.section(label)?.bytes()
  if (!bytes || bytes.length === 0) return []
  const reader = new DataReader(bytes, elf.header.littleEndian, elf.source.name, label)
  // Version 5 has two bytes and two of padding, version 2 has four; in little-endian they read the same.
  const wide = reader.uint(4)
  const version = wide === 2 || wide === 5 ? wide : wide >>> 16
  const names = columnsOf[version]
  if (!names) throw reader.error(`an index of version ${version}`)
  const [columns, units, slots] = [reader.uint(4), reader.uint(4), reader.uint(4)]
  if (columns > maxColumns || units > maxUnits || slots > 4 * maxUnits)
    throw reader.error(`an index of ${units} units in ${slots} slots`)
  const ids = Array.from({ length: slots }, () => reader.u64())
  const rows = Array.from({ length: slots }, () => reader.uint(4))
  const sections = Array.from({ length: columns }, () => names[reader.uint(4) - 1])
  const table = Array.from({ length: 2 * units * columns }, () => reader.uint(4))
  return rows.flatMap((row, slot) => {
    if (row === 0 || row > units) return []
    const slices = new Map<SectionName, SectionSlice>()
    sections.forEach((name, column) => {
      const at = (row - 1) * columns + column
      if (name) slices.set(name, { offset: table[at]!, size: table[units * columns + at]! })
    })
    return [{ id: ids[slot]!, slices }]
  })
}
