/**
 * Where a variable is, by address: an expression that always holds, a constant, or a list in `.debug_loc` (DWARF 4
 * section 2.6.2) or `.debug_loclists` (DWARF 5 section 2.6.2).
 */
import { At, Ate, Form, Lle, LocationOp, Tag } from './constants.ts'
import type { BaseType, LocationExpression, LocationRange } from './debug-info.ts'
import { Entry } from './entry.ts'
import type { Unit } from './unit.ts'

const maxLocations = 1 << 16
const always = { low: 0, high: Number.POSITIVE_INFINITY } as const

/** All places of a variable; empty where the compiler kept none. */
export function readLocations(entry: Entry, attribute: number = At.location): readonly LocationRange[] {
  const { unit } = entry
  const form = entry.form(attribute)
  if (form === undefined) {
    const constant = attribute === At.location ? constantOf(entry) : undefined
    return constant ? [{ ...always, expression: expressionOf(unit, constant) }] : []
  }
  const block = entry.block(attribute)
  if (block) return block.length > 0 ? [{ ...always, expression: expressionOf(unit, block) }] : []
  const value = entry.number(attribute)
  if (value === undefined) return []
  if (unit.version < 5) return readDebugLoc(unit, value)
  return readLocationList(unit, form === Form.loclistx ? unit.listAt('loclists', value) : value)
}

export function expressionOf(unit: Unit, bytes: Uint8Array): LocationExpression {
  return {
    bytes,
    addressAt: index => unit.addressAt(index),
    addrSize: unit.addrSize,
    baseTypeAt: offset => baseTypeAt(unit, offset),
    offsetSize: unit.version === 2 ? unit.addrSize : unit.offsetSize,
    littleEndian: unit.sections.littleEndian,
    file: unit.sections.file,
  }
}

function baseTypeAt(unit: Unit, offset: number): BaseType | undefined {
  const entry = Entry.at(unit, unit.offset + offset)
  const [size, encoding] = [entry?.number(At.byteSize), entry?.number(At.encoding)]
  if (entry?.tag !== Tag.baseType || size === undefined) return undefined
  if (encoding === Ate.float || encoding === Ate.complexFloat) return { size, encoding: 'float' }
  return { size, encoding: encoding === Ate.signed || encoding === Ate.signedChar ? 'signed' : 'unsigned' }
}

/** DW_AT_const_value as the expression that gives its bytes. */
function constantOf(entry: Entry): Uint8Array | undefined {
  const block = entry.block(At.constValue)
  const text = block ? undefined : entry.text(At.constValue)
  const bytes = block ?? (text === undefined ? numberBytes(entry) : new TextEncoder().encode(`${text}\0`))
  if (!bytes || bytes.length >= 1 << 14) return undefined
  const length = bytes.length
  return Uint8Array.of(LocationOp.implicitValue, (length & 127) | 128, length >> 7, ...bytes)
}

function numberBytes(entry: Entry): Uint8Array | undefined {
  const value = entry.integer(At.constValue)
  if (value === undefined) return undefined
  // Eight bytes with the sign carried through: a type of fewer reads the low ones.
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigInt64(0, BigInt.asIntN(64, value), entry.unit.sections.littleEndian)
  return bytes
}

function readDebugLoc(unit: Unit, offset: number): LocationRange[] {
  const reader = unit.sections.reader('loc')
  const found: LocationRange[] = []
  const selector = unit.addrSize === 8 ? 2 ** 64 : 2 ** 32 - 1
  let base = unit.lowPc
  reader.at = offset
  // GNU's split DWARF 4 has `.debug_loc.dwo` in the manner of `.debug_loclists`, with lengths of its own.
  const split = unit.isSplit
  for (let n = 0; n < maxLocations; n++) {
    if (split) {
      const kind = reader.u8()
      if (kind === Lle.endOfList) return found
      if (kind === Lle.baseAddressx) {
        base = unit.addressAt(reader.uleb())
        continue
      }
      let [low, high] = [0, 0]
      if (kind === Lle.startxEndx)
        [low, high] = [unit.addressAt(reader.uleb()), unit.addressAt(reader.uleb())]
      else if (kind === Lle.startxLength) {
        low = unit.addressAt(reader.uleb())
        high = low + reader.uint(4)
      } else if (kind === Lle.offsetPair) [low, high] = [base + reader.uint(4), base + reader.uint(4)]
      else throw reader.error(`location list entry ${kind}`)
      found.push({ low, high, expression: expressionOf(unit, reader.take(reader.uint(2))) })
      continue
    }
    const [low, high] = [reader.uint(unit.addrSize), reader.uint(unit.addrSize)]
    if (low === 0 && high === 0) return found
    if (low === selector) {
      base = high
      continue
    }
    const bytes = reader.take(reader.uint(2))
    if (high > low) found.push({ low: base + low, high: base + high, expression: expressionOf(unit, bytes) })
  }
  throw reader.error('a location list does not end')
}

function readLocationList(unit: Unit, offset: number): LocationRange[] {
  const reader = unit.sections.reader('loclists')
  const found: LocationRange[] = []
  let base = unit.lowPc
  reader.at = offset
  const add = (low: number, high: number): void => {
    const bytes = reader.take(reader.uleb())
    if (high > low) found.push({ low, high, expression: expressionOf(unit, bytes) })
  }
  for (let n = 0; n < maxLocations; n++) {
    const kind = reader.u8()
    switch (kind) {
      case Lle.endOfList:
        return found
      case Lle.baseAddressx:
        base = unit.addressAt(reader.uleb())
        break
      case Lle.startxEndx:
        add(unit.addressAt(reader.uleb()), unit.addressAt(reader.uleb()))
        break
      case Lle.startxLength: {
        const low = unit.addressAt(reader.uleb())
        add(low, low + reader.uleb())
        break
      }
      case Lle.offsetPair:
        add(base + reader.uleb(), base + reader.uleb())
        break
      case Lle.defaultLocation:
        add(always.low, always.high)
        break
      case Lle.baseAddress:
        base = reader.uint(unit.addrSize)
        break
      case Lle.startEnd:
        add(reader.uint(unit.addrSize), reader.uint(unit.addrSize))
        break
      case Lle.startLength: {
        const low = reader.uint(unit.addrSize)
        add(low, low + reader.uleb())
        break
      }
      default:
        throw reader.error(`location list entry ${kind}`)
    }
  }
  throw reader.error('a location list does not end')
}
