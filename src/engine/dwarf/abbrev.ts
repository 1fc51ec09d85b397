/**
 * `.debug_abbrev`: what entries of each code consist of. DWARF 5 section 7.5.3. Each declaration carries a recipe by
 * which an entry of that code is passed over without looking at what its attributes are.
 */
import { Form } from './constants.ts'
import type { DataReader } from './data-reader.ts'
import type { DebugSections } from './sections.ts'

export interface Abbrev {
  readonly tag: number
  readonly hasChildren: boolean
  /** DW_AT numbers, in the order of the values. */
  readonly attributes: readonly number[]
  readonly forms: readonly number[]
  /** Values of DW_FORM_implicit_const, by position. */
  readonly implicit: readonly (bigint | undefined)[]
  /** How to pass over each value. */
  readonly each: readonly number[]
  /** How to pass over all values: a positive step is so many bytes, the others are of `Step`. */
  readonly steps: readonly number[]
}

/** Values whose length is not known beforehand. */
export const Step = {
  leb: -1,
  string: -2,
  block: -3,
  block1: -4,
  block2: -5,
  block4: -6,
  indirect: -7,
} as const

/** What a form's length depends on. */
export interface Shape {
  readonly version: number
  readonly is64: boolean
  readonly addrSize: number
}

const maxAttributes = 1 << 10
const maxAbbrevs = 1 << 18

/** The table at `offset`, by code. */
export function readAbbrevs(
  sections: DebugSections,
  offset: number,
  shape: Shape,
): readonly (Abbrev | undefined)[] {
  const reader = sections.reader('abbrev')
  reader.at = offset
  const table: (Abbrev | undefined)[] = []
  for (let n = 0; n < maxAbbrevs; n++) {
    const code = reader.uleb()
    if (code === 0) return table
    if (code > maxAbbrevs) throw reader.error(`abbreviation ${code}`)
    table[code] = readAbbrev(reader, shape)
  }
  throw reader.error('abbreviations do not end')
}

function readAbbrev(reader: DataReader, shape: Shape): Abbrev {
  const tag = reader.uleb()
  const hasChildren = reader.u8() !== 0
  const [attributes, forms]: [number[], number[]] = [[], []]
  const implicit: (bigint | undefined)[] = []
  const [each, steps]: [number[], number[]] = [[], []]
  for (;;) {
    const [attribute, form] = [reader.uleb(), reader.uleb()]
    if (attribute === 0 && form === 0) return { tag, hasChildren, attributes, forms, implicit, each, steps }
    if (attributes.length >= maxAttributes) throw reader.error('an entry of too many attributes')
    implicit.push(form === Form.implicitConst ? reader.sleb() : undefined)
    attributes.push(attribute)
    forms.push(form)
    const step = stepOf(form, shape)
    if (step === undefined) throw reader.error(`form 0x${form.toString(16)} is not known`)
    each.push(step)
    // Neighbours of known length are passed over in one step.
    if (step > 0 && (steps.at(-1) ?? -1) > 0) steps[steps.length - 1]! += step
    else if (step !== 0) steps.push(step)
  }
}

/** Bytes of a value of this form, or how to find out; undefined for a form that nobody knows. */
export function stepOf(form: number, { version, is64, addrSize }: Shape): number | undefined {
  const offset = is64 ? 8 : 4
  switch (form) {
    case Form.implicitConst:
    case Form.flagPresent:
      return 0
    case Form.data1:
    case Form.ref1:
    case Form.flag:
    case Form.strx1:
    case Form.addrx1:
      return 1
    case Form.data2:
    case Form.ref2:
    case Form.strx2:
    case Form.addrx2:
      return 2
    case Form.strx3:
    case Form.addrx3:
      return 3
    case Form.data4:
    case Form.ref4:
    case Form.strx4:
    case Form.addrx4:
    case Form.refSup4:
      return 4
    case Form.data8:
    case Form.ref8:
    case Form.refSig8:
    case Form.refSup8:
      return 8
    case Form.data16:
      return 16
    case Form.addr:
      return addrSize
    case Form.refAddr:
      return version === 2 ? addrSize : offset
    case Form.strp:
    case Form.lineStrp:
    case Form.secOffset:
    case Form.strpSup:
    case Form.gnuRefAlt:
    case Form.gnuStrpAlt:
      return offset
    case Form.udata:
    case Form.sdata:
    case Form.refUdata:
    case Form.strx:
    case Form.addrx:
    case Form.loclistx:
    case Form.rnglistx:
    case Form.gnuAddrIndex:
    case Form.gnuStrIndex:
      return Step.leb
    case Form.string:
      return Step.string
    case Form.block:
    case Form.exprloc:
      return Step.block
    case Form.block1:
      return Step.block1
    case Form.block2:
      return Step.block2
    case Form.block4:
      return Step.block4
    case Form.indirect:
      return Step.indirect
    default:
      return undefined
  }
}
