/**
 * One entry of `.debug_info` (a DIE). Only its code is read; a value is looked for when it is asked for, passing over
 * those before it. DWARF 5 section 7.5.
 */
import { type Abbrev, Step, stepOf } from './abbrev.ts'
import { At, Form, Op } from './constants.ts'
import type { DataReader } from './data-reader.ts'
import { readUleb } from './leb128.ts'
import type { Unit } from './unit.ts'

/** No real program nests deeper; references that refer to each other must end. */
const maxDepth = 256

export class Entry {
  readonly unit: Unit
  /** In the unit's section. */
  readonly offset: number
  readonly abbrev: Abbrev
  /** Offset of the first value. */
  readonly #values: number
  #end: number | undefined

  private constructor(unit: Unit, offset: number, abbrev: Abbrev, values: number) {
    this.unit = unit
    this.offset = offset
    this.abbrev = abbrev
    this.#values = values
  }

  /** The entry at `offset`; undefined for the null that ends a list of children. */
  static at(unit: Unit, offset: number): Entry | undefined {
    const { reader } = unit
    if (!(offset >= unit.first && offset < unit.end)) {
      reader.at = offset
      throw reader.error('an entry outside its unit')
    }
    reader.at = offset
    const code = reader.uleb()
    if (code === 0) return undefined
    const abbrev = unit.abbrevs()[code]
    if (!abbrev) throw reader.error(`an entry of unknown abbreviation ${code}`)
    return new Entry(unit, offset, abbrev, reader.at)
  }

  /** Its number among the entries of all sections and files of the program. */
  get id(): number {
    return this.unit.base + this.offset
  }

  get tag(): number {
    return this.abbrev.tag
  }

  /** Offset of what follows the entry: its first child, where it has children. */
  get end(): number {
    if (this.#end === undefined) {
      const { reader } = this.unit
      reader.ready(this.#values)
      reader.at = this.#values
      skipValues(reader, this.abbrev, this.unit)
      this.#end = reader.at
    }
    return this.#end
  }

  has(attribute: number): boolean {
    return this.abbrev.attributes.includes(attribute)
  }

  /** Whether a flag is there and set. */
  flag(attribute: number): boolean {
    return (this.number(attribute) ?? 0) !== 0
  }

  /** A constant, flag or offset; exact below 2^53. Undefined where it is absent or of another class. */
  number(attribute: number): number | undefined {
    const form = this.#seek(attribute)
    if (form === undefined) return undefined
    const { reader } = this.unit
    switch (form) {
      case Form.implicitConst:
        return Number(this.#implicit(attribute))
      case Form.flagPresent:
        return 1
      case Form.data1:
      case Form.flag:
        return reader.u8()
      case Form.data2:
        return reader.uint(2)
      case Form.data4:
        return reader.uint(4)
      case Form.data8:
        return reader.uint(8)
      case Form.udata:
      case Form.loclistx:
      case Form.rnglistx:
        return reader.uleb()
      case Form.sdata:
        return Number(reader.sleb())
      case Form.secOffset:
        return reader.uint(this.unit.offsetSize)
      default:
        return undefined
    }
  }

  /** A constant of up to 64 bits as it was meant, with its sign where the form has one or `signed` says so. */
  integer(attribute: number, signed = false): bigint | undefined {
    const form = this.#seek(attribute)
    if (form === undefined) return undefined
    const { reader } = this.unit
    const fixed = (size: number): bigint => {
      const value = size === 8 ? reader.u64() : BigInt(reader.uint(size))
      return signed ? BigInt.asIntN(size * 8, value) : value
    }
    if (form === Form.implicitConst) return this.#implicit(attribute)
    if (form === Form.sdata) return reader.sleb()
    if (form === Form.udata) return readUleb(reader)
    if (form === Form.data1) return fixed(1)
    if (form === Form.data2) return fixed(2)
    if (form === Form.data4) return fixed(4)
    if (form === Form.data8) return fixed(8)
    return undefined
  }

  text(attribute: number): string | undefined {
    const form = this.#seek(attribute)
    return form === undefined ? undefined : readText(this.unit, form)
  }

  address(attribute: number): number | undefined {
    const form = this.#seek(attribute)
    return form === undefined ? undefined : readAddress(this.unit, form)
  }

  /** DW_AT_data_member_location: a constant, in DWARF 2 an expression that adds one (DW_OP_plus_uconst). */
  get memberOffset(): number {
    const block = this.block(At.dataMemberLocation)
    if (!block) return this.number(At.dataMemberLocation) ?? 0
    if (block[0] !== Op.plusUconst) return 0
    const [, ...digits] = block
    return digits.reduceRight((value, byte) => value * 128 + (byte & 127), 0)
  }

  /** Go's DW_AT_go_runtime_type: an offset that is written as an address. */
  offsetAsAddress(attribute: number): number | undefined {
    return this.address(attribute) ?? this.number(attribute)
  }

  /** DW_AT_high_pc, which is an address or counts from DW_AT_low_pc. */
  highPc(low: number): number | undefined {
    return this.address(At.highPc) ?? plus(low, this.number(At.highPc))
  }

  /** Bytes of a block or expression. */
  block(attribute: number): Uint8Array | undefined {
    const form = this.#seek(attribute)
    if (form === undefined) return undefined
    const { reader } = this.unit
    if (form === Form.exprloc || form === Form.block) return reader.take(reader.uleb())
    if (form === Form.block1) return reader.take(reader.u8())
    if (form === Form.block2) return reader.take(reader.uint(2))
    if (form === Form.block4) return reader.take(reader.uint(4))
    if (form === Form.data16) return reader.take(16)
    return undefined
  }

  /** Id of the entry that is referred to; a signature for type units. */
  reference(attribute: number): number | bigint | undefined {
    const form = this.#seek(attribute)
    return form === undefined ? undefined : readReference(this.unit, form)
  }

  /** The form of an attribute as it is written; undefined where it is absent. */
  form(attribute: number): number | undefined {
    return this.#seek(attribute)
  }

  /** Direct children. Throws FormatError where they do not end. */
  *children(): Generator<Entry> {
    if (!this.abbrev.hasChildren) return
    let at = this.end
    while (at < this.unit.end) {
      const entry = Entry.at(this.unit, at)
      if (!entry) return
      yield entry
      at = entry.next()
    }
  }

  /** Offset of the entry behind this one and its children. */
  next(): number {
    const sibling = this.has(At.sibling) ? this.reference(At.sibling) : undefined
    if (typeof sibling === 'number') {
      const offset = sibling - this.unit.base
      if (offset > this.offset && offset < this.unit.end) return offset
    }
    return this.abbrev.hasChildren ? skipChildren(this.unit, this.end) : this.end
  }

  /** Puts the reader at the value; its form with DW_FORM_indirect resolved. */
  #seek(attribute: number): number | undefined {
    const { attributes, forms, each } = this.abbrev
    const index = attributes.indexOf(attribute)
    if (index < 0) return undefined
    const { reader } = this.unit
    reader.ready(this.#values)
    reader.at = this.#values
    for (let i = 0; i < index; i++) skipStep(reader, each[i]!, this.unit)
    let form = forms[index]!
    if (form === Form.indirect) form = reader.uleb()
    return form
  }

  #implicit(attribute: number): bigint {
    return this.abbrev.implicit[this.abbrev.attributes.indexOf(attribute)] ?? 0n
  }
}

function plus(a: number, b: number | undefined): number | undefined {
  return b === undefined ? undefined : a + b
}

/** Offset behind the list of children that begins at `at`. */
export function skipChildren(unit: Unit, at: number): number {
  const { reader } = unit
  const abbrevs = unit.abbrevs()
  reader.at = at
  for (let depth = 1; reader.at < unit.end; ) {
    const code = reader.uleb()
    if (code === 0) {
      if (--depth === 0) return reader.at
      continue
    }
    const abbrev = abbrevs[code]
    if (!abbrev) throw reader.error(`an entry of unknown abbreviation ${code}`)
    skipValues(reader, abbrev, unit)
    if (abbrev.hasChildren && ++depth > maxDepth) throw reader.error('entries nest too deep')
  }
  return unit.end
}

/** Moves behind the values of an entry. */
export function skipValues(reader: DataReader, abbrev: Abbrev, unit: Unit): void {
  const { steps } = abbrev
  for (let i = 0; i < steps.length; i++) skipStep(reader, steps[i]!, unit)
  if (reader.at > unit.end) throw reader.error('an entry runs out of its unit')
}

/** Moves behind one value; `step` is one of an Abbrev's. */
export function skipStep(reader: DataReader, step: number, unit: Unit): void {
  const { bytes } = reader
  switch (step) {
    case Step.leb: {
      let at = reader.at
      while (bytes[at]! >= 128) at++
      reader.at = at + 1
      break
    }
    case Step.string: {
      let at = reader.at
      while (bytes[at]! > 0) at++
      reader.at = at + 1
      break
    }
    case Step.block1:
      reader.at += (bytes[reader.at] ?? 0) + 1
      break
    case Step.block:
      reader.take(reader.uleb())
      break
    case Step.block2:
      reader.take(reader.uint(2))
      break
    case Step.block4:
      reader.take(reader.uint(4))
      break
    case Step.indirect:
      skipIndirect(reader, unit)
      break
    default:
      reader.at += step
  }
}

/** DW_FORM_indirect: the form stands before the value. */
function skipIndirect(reader: DataReader, unit: Unit): void {
  const form = reader.uleb()
  const step = form === Form.indirect ? undefined : stepOf(form, unit)
  if (step === undefined) throw reader.error(`form 0x${form.toString(16)} is not known`)
  skipStep(reader, step, unit)
}

/** The text of this form at the reader's position; undefined for forms of other classes, as below. */
export function readText(unit: Unit, form: number): string | undefined {
  const { reader } = unit
  switch (form) {
    case Form.string:
      return reader.text()
    case Form.strp:
      return unit.text('str', reader.uint(unit.offsetSize))
    case Form.lineStrp:
      return unit.text('lineStr', reader.uint(unit.offsetSize))
    case Form.strx:
    case Form.gnuStrIndex:
      return unit.textAt(reader.uleb())
    case Form.strx1:
    case Form.strx2:
    case Form.strx3:
    case Form.strx4:
      return unit.textAt(reader.uint(form - Form.strx1 + 1))
    default:
      return undefined
  }
}

/** The address of this form at the reader's position. */
export function readAddress(unit: Unit, form: number): number | undefined {
  const { reader } = unit
  switch (form) {
    case Form.addr:
      return reader.uint(unit.addrSize)
    case Form.addrx:
    case Form.gnuAddrIndex:
      return unit.addressAt(reader.uleb())
    case Form.addrx1:
    case Form.addrx2:
    case Form.addrx3:
    case Form.addrx4:
      return unit.addressAt(reader.uint(form - Form.addrx1 + 1))
    default:
      return undefined
  }
}

/** What the value of this form at the reader's position refers to: the id of an entry, or a type unit's signature. */
export function readReference(unit: Unit, form: number): number | bigint | undefined {
  const { reader } = unit
  switch (form) {
    case Form.refAddr:
      return unit.origin + reader.uint(unit.version === 2 ? unit.addrSize : unit.offsetSize)
    case Form.ref1:
      return unit.id + reader.u8()
    case Form.ref2:
      return unit.id + reader.uint(2)
    case Form.ref4:
      return unit.id + reader.uint(4)
    case Form.ref8:
      return unit.id + reader.uint(8)
    case Form.refUdata:
      return unit.id + reader.uleb()
    case Form.refSig8:
      return reader.u64()
    default:
      return undefined
  }
}
