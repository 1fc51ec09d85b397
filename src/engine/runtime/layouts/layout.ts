/**
 * Offsets in the runtime's structures, by Go version. A field that a version does not have is absent. The tables are
 * of 64-bit programs; what is before `lockedInt` in `m` does not depend on GOEXPERIMENT, the fields behind it are
 * those of the default experiments.
 */
import { UnsupportedError } from '../../../base/errors.ts'
import { go1_19 } from './go1.19.ts'
import { go1_20 } from './go1.20.ts'
import { go1_21 } from './go1.21.ts'
import { go1_22 } from './go1.22.ts'
import { go1_23 } from './go1.23.ts'
import { go1_24 } from './go1.24.ts'
import { go1_25 } from './go1.25.ts'
import { go1_26 } from './go1.26.ts'
import { go1_27 } from './go1.27.ts'

export type StructTable = Readonly<Record<string, Readonly<Record<string, number>>>>

export const oldestMinor = 19
export const newestMinor = 27

const tables: readonly StructTable[] = [
  go1_19,
  go1_20,
  go1_21,
  go1_22,
  go1_23,
  go1_24,
  go1_25,
  go1_26,
  go1_27,
]

export class RuntimeLayout {
  /** The minor Go version whose table it is. */
  readonly minor: number
  readonly #table: StructTable

  /** The layout of the version's latest patch release, or of its earlier ones. */
  constructor(minor: number, release: 'latest' | 'earlier' = 'latest') {
    this.minor = Math.min(newestMinor, Math.max(oldestMinor, minor))
    const table = tables[this.minor - oldestMinor]!
    this.#table = release === 'earlier' ? { ...table, m: { ...table.m, ...table.mEarlier } } : table
  }

  /** The offset of `struct.field`, undefined where this version does not have it. */
  find(field: string): number | undefined {
    const dot = field.indexOf('.')
    return this.#table[field.slice(0, dot)]?.[field.slice(dot + 1)]
  }

  /** The offset of a field that must be there. */
  at(field: string): number {
    const offset = this.find(field)
    if (offset === undefined) throw new UnsupportedError(field, `Go 1.${this.minor} has no such field`)
    return offset
  }
}
