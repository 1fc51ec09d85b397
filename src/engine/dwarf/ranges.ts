/**
 * Address ranges of entries: DW_AT_low_pc with DW_AT_high_pc, or a list in `.debug_ranges` (DWARF 4 section 2.17.3) or
 * `.debug_rnglists` (DWARF 5 section 2.17.3).
 */
import { At, Form, Rle } from './constants.ts'
import type { Range } from './debug-info.ts'
import type { Entry } from './entry.ts'
import type { Unit } from './unit.ts'

const maxRanges = 1 << 16

/** The entry's own code; empty where it has none, as abstract functions. */
export function readRanges(entry: Entry): readonly Range[] {
  const { unit } = entry
  const form = entry.form(At.ranges)
  if (form !== undefined) {
    const value = entry.number(At.ranges)
    if (value === undefined) return []
    if (unit.version < 5) return readDebugRanges(unit, value)
    return readRangeList(unit, form === Form.rnglistx ? unit.listAt('rnglists', value) : value)
  }
  const low = entry.address(At.lowPc)
  if (low === undefined) return []
  const high = entry.highPc(low)
  return high !== undefined && high > low ? [{ low, high }] : []
}

function readDebugRanges(unit: Unit, offset: number): Range[] {
  const { reader, base: start } = unit.debugRanges
  const ranges: Range[] = []
  const selector = unit.addrSize === 8 ? 2 ** 64 : 2 ** 32 - 1
  let base = unit.lowPc
  reader.at = start + offset
  for (let n = 0; n < maxRanges; n++) {
    const [low, high] = [reader.uint(unit.addrSize), reader.uint(unit.addrSize)]
    if (low === 0 && high === 0) return ranges
    // 2^64 - 1 rounds to 2^64.
    if (low === selector) base = high
    else if (high > low) ranges.push({ low: base + low, high: base + high })
  }
  throw reader.error('a range list does not end')
}

function readRangeList(unit: Unit, offset: number): Range[] {
  const reader = unit.sections.reader('rnglists')
  const ranges: Range[] = []
  const add = (low: number, high: number): void => {
    if (high > low) ranges.push({ low, high })
  }
  let base = unit.lowPc
  reader.at = offset
  for (let n = 0; n < maxRanges; n++) {
    const kind = reader.u8()
    switch (kind) {
      case Rle.endOfList:
        return ranges
      case Rle.baseAddressx:
        base = unit.addressAt(reader.uleb())
        break
      case Rle.startxEndx:
        add(unit.addressAt(reader.uleb()), unit.addressAt(reader.uleb()))
        break
      case Rle.startxLength: {
        const low = unit.addressAt(reader.uleb())
        add(low, low + reader.uleb())
        break
      }
      case Rle.offsetPair:
        add(base + reader.uleb(), base + reader.uleb())
        break
      case Rle.baseAddress:
        base = reader.uint(unit.addrSize)
        break
      case Rle.startEnd:
        add(reader.uint(unit.addrSize), reader.uint(unit.addrSize))
        break
      case Rle.startLength: {
        const low = reader.uint(unit.addrSize)
        add(low, low + reader.uleb())
        break
      }
      default:
        throw reader.error(`range list entry ${kind}`)
    }
  }
  throw reader.error('a range list does not end')
}

export function contains(ranges: readonly Range[], pc: number): boolean {
  return ranges.some(({ low, high }) => pc >= low && pc < high)
}
