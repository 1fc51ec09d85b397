/**
 * What a location consists of, without working it out: which registers, which slots of the frame. For those who look
 * for a value where it was before, or in whose register it went on.
 */
import { FormatError } from '../../base/errors.ts'
import { LocationOp, Op } from './constants.ts'
import type { LocationExpression } from './debug-info.ts'
import { FrameReader } from './frame-reader.ts'

export type LocationPart = {
  /** Bytes from the start of the variable. */
  readonly offset: number
  /** Infinity where the part is the whole variable. */
  readonly size: number
} & (
  | { readonly kind: 'register'; readonly register: number }
  /** Counted from the frame base, which is the canonical frame address in Go. */
  | { readonly kind: 'slot'; readonly from: number }
  | { readonly kind: 'none' }
)

const maxParts = 64

/** The parts of a location; undefined where it is something else than registers and slots. */
export function locationParts(expression: LocationExpression): readonly LocationPart[] | undefined {
  const { bytes, addrSize, littleEndian, file } = expression
  const reader = new FrameReader(bytes, { file, section: 'a location', littleEndian, ptrSize: addrSize }, 0)
  try {
    return readParts(reader)
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}

function readParts(reader: FrameReader): LocationPart[] | undefined {
  const parts: LocationPart[] = []
  let offset = 0
  while (!reader.done && parts.length < maxParts) {
    const what = readPlace(reader)
    if (!what) return undefined
    if (reader.done && what.kind !== 'none')
      return [...parts, { ...what, offset, size: Number.POSITIVE_INFINITY }]
    if (reader.done) return parts
    if (reader.u8() !== LocationOp.piece) return undefined
    const size = reader.uvarint()
    parts.push({ ...what, offset, size })
    offset += size
  }
  return parts
}

type Where = { kind: 'register'; register: number } | { kind: 'slot'; from: number } | { kind: 'none' }

/** Stands behind the place, at its DW_OP_piece or the end. */
function readPlace(reader: FrameReader): Where | undefined {
  const op = reader.u8()
  if (op === LocationOp.piece) {
    reader.at--
    return { kind: 'none' }
  }
  if (op >= LocationOp.reg0 && op <= LocationOp.reg31)
    return { kind: 'register', register: op - LocationOp.reg0 }
  if (op === LocationOp.regx) return { kind: 'register', register: reader.uvarint() }
  if (op === LocationOp.fbreg) return { kind: 'slot', from: Number(reader.sleb()) }
  if (op !== LocationOp.callFrameCfa) return undefined
  // `DW_OP_call_frame_cfa, DW_OP_consts n, DW_OP_plus`, as Go wrote it before it used DW_OP_fbreg.
  if (reader.done || reader.bytes[reader.at] !== Op.consts) return { kind: 'slot', from: 0 }
  reader.u8()
  const from = Number(reader.sleb())
  return reader.u8() === Op.plus ? { kind: 'slot', from } : undefined
}
