/**
 * The value of a panic as `runtime.printpanicval` prints it (runtime/error.go; called printany
 * up to Go 1.22, with the same words). Errors and Stringers are strings already by then; other types than the basic ones show as their type and
 * the address of the value.
 */
import { MemoryFault } from '../../base/errors.ts'
import { utf8 } from '../bytes/cursor.ts'
import { viewOf } from '../bytes/layout.ts'
import { integerKind } from '../value/kind.ts'
import type { GoType, TypeReader } from '../value/rtype.ts'
import { integerOf, readStringAt } from '../value/scalar.ts'
import { errorText, isErrorOrStringer } from './panic-error.ts'
import { printComplex, printFloat } from './panic-number.ts'

export interface PanicValue {
  /** As printed; newlines come with a tab behind them where this version prints so. */
  readonly text: string
  /** Of the value; absent for nil and where the descriptor is unreadable. */
  readonly type?: GoType
  /** Address of the value itself, or of what it points to for pointer-shaped types. */
  readonly data: number
  /** The value is an error or Stringer whose text the runtime had not made yet, and neither can we. */
  readonly unprinted: boolean
}

const maxText = 16384

/** `addr` holds an `any`: type word and data word. Unreadable parts are named in the text. */
export function readPanicValue(types: TypeReader, addr: number, goMinor: number): PanicValue {
  const { memory } = types
  try {
    const typeAddr = memory.word(addr)
    const data = memory.word(addr + memory.ptrSize)
    if (typeAddr === 0) return { text: 'nil', data: 0, unprinted: false }
    const type = types.at(typeAddr)
    if (!type) return { text: `(unreadable: no type at 0x${typeAddr.toString(16)})`, data, unprinted: false }
    return { type, data, ...printValue(types, type, data, goMinor) }
  } catch (error) {
    if (!(error instanceof MemoryFault)) throw error
    return { text: `(unreadable: ${error.message})`, data: 0, unprinted: false }
  }
}

function printValue(
  types: TypeReader,
  type: GoType,
  data: number,
  goMinor: number,
): Pick<PanicValue, 'text' | 'unprinted'> {
  try {
    const known = errorText(types, type, data, goMinor)
    if (known !== undefined) return { text: indented(known, goMinor), unprinted: false }
    const basic = basicText(types, type, data, goMinor)
    const custom = type.named && type.name !== type.kind
    const unprinted = isErrorOrStringer(types, type)
    if (basic === undefined) return { text: `(${type.name}) 0x${data.toString(16)}`, unprinted }
    if (!custom) return { text: basic, unprinted: false }
    // printanycustomtype: strings in quotes that quote nothing, complex numbers with their own brackets.
    if (type.kind === 'string') return { text: `${type.name}("${basic}")`, unprinted }
    const bare = type.kind === 'complex64' || type.kind === 'complex128'
    return { text: bare ? `${type.name}${basic}` : `${type.name}(${basic})`, unprinted }
  } catch (error) {
    if (!(error instanceof MemoryFault)) throw error
    return { text: `(${type.name}) (unreadable: ${error.message})`, unprinted: false }
  }
}

/** Bool, numbers and strings; undefined for every other kind. */
function basicText(types: TypeReader, type: GoType, data: number, goMinor: number): string | undefined {
  const { memory } = types
  const style = { shortest: goMinor >= 26 }
  const float = (offset: number, size: number): number => {
    const view = viewOf(memory.read(data + offset, size))
    return size === 4 ? view.getFloat32(0, memory.littleEndian) : view.getFloat64(0, memory.littleEndian)
  }
  const integer = integerKind(type.kind)
  if (integer)
    return String(integerOf(memory.read(data, type.size), integer === 'signed', memory.littleEndian))
  switch (type.kind) {
    case 'bool':
      return memory.u8(data) === 0 ? 'false' : 'true'
    case 'string':
      return indented(utf8(readStringAt(memory, data, maxText).bytes), goMinor)
    case 'float32':
      return printFloat(float(0, 4), 32, style)
    case 'float64':
      return printFloat(float(0, 8), 64, style)
    case 'complex64':
      return printComplex(float(0, 4), float(4, 4), 64, style)
    case 'complex128':
      return printComplex(float(0, 8), float(8, 8), 128, style)
    default:
      return undefined
  }
}

/** runtime.printindented, since Go 1.23: "\n" becomes "\n\t". */
function indented(text: string, goMinor: number): string {
  return goMinor >= 23 ? text.replaceAll('\n', '\n\t') : text
}
