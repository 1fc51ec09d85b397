/**
 * What `Error()` of the runtime's own errors, and of a few that every program uses, would have said. Needed where a
 * panic's value is still the error itself: the runtime replaces it by its text (preprintpanics) only just before it
 * dies, so a process that was stopped while its deferred calls still ran has not got that far.
 * runtime/error.go, errors/errors.go, fmt/errors.go, io/fs/fs.go; the same words from Go 1.19 to 1.27 but for one.
 */

import type { GoType, TypeReader } from '../value/rtype.ts'
import { readString } from '../value/value.ts'

const maxText = 4096

/** boundsErrorFmts: by boundsErrorCode. */
const bounds = [
  'index out of range [%x] with length %y',
  'slice bounds out of range [:%x] with length %y',
  'slice bounds out of range [:%x] with capacity %y',
  'slice bounds out of range [%x:%y]',
  'slice bounds out of range [::%x] with length %y',
  'slice bounds out of range [::%x] with capacity %y',
  'slice bounds out of range [:%x:%y]',
  'slice bounds out of range [%x:%y:]',
  'cannot convert slice with length %y to array or pointer to array with length %x',
]

/** boundsNegErrorFmts: where x is negative, y does not matter. */
const negativeBounds = [
  'index out of range [%x]',
  'slice bounds out of range [:%x]',
  'slice bounds out of range [:%x]',
  'slice bounds out of range [%x:]',
  'slice bounds out of range [::%x]',
  'slice bounds out of range [::%x]',
  'slice bounds out of range [:%x:]',
  'slice bounds out of range [%x::]',
  '',
]

/** The text of boundsError.Error. Go 1.19 and earlier convert to pointers to arrays only, and say so. */
export function boundsErrorText(
  { x, y, signed, code }: { x: bigint; y: bigint; signed: boolean; code: number },
  goMinor: number,
): string | undefined {
  const format = (signed && x < 0n ? negativeBounds : bounds)[code]
  if (format === undefined) return undefined
  const text = goMinor < 20 ? format.replace('to array or pointer to array', 'to pointer to array') : format
  return `runtime error: ${text.replace('%x', String(x)).replace('%y', String(y))}`
}

/** `data`: address of the value that the interface holds; of what it points to for pointer types. */
export function errorText(
  types: TypeReader,
  type: GoType,
  data: number,
  goMinor: number,
): string | undefined {
  const { memory } = types
  const text = (addr: number): string => readString(memory, addr, maxText).text
  const word = memory.ptrSize
  switch (type.name) {
    case 'runtime.errorString':
      return `runtime error: ${text(data)}`
    case 'runtime.plainError':
      return text(data)
    case 'runtime.errorAddressString':
      return `runtime error: ${text(data)}`
    case 'runtime.boundsError': {
      const x = BigInt.asIntN(64, memory.u64(data))
      const signed = memory.u8(data + 8 + word) !== 0
      const y = word === 8 ? BigInt.asIntN(64, memory.u64(data + 8)) : BigInt(memory.i32(data + 8))
      return boundsErrorText(
        { x: signed ? x : BigInt.asUintN(64, x), y, signed, code: memory.u8(data + 9 + word) },
        goMinor,
      )
    }
    case '*runtime.PanicNilError':
      return 'panic called with nil argument (use GODEBUG=panicnil=1 to disable)'
    case '*runtime.TypeAssertionError':
      return typeAssertionText(types, data)
    case '*errors.errorString':
    case '*fmt.wrapError':
    case '*fmt.wrapErrors':
      return text(data)
    default:
      return undefined
  }
}

function typeAssertionText(types: TypeReader, data: number): string | undefined {
  const { memory } = types
  const word = memory.ptrSize
  const at = (i: number): GoType | undefined => types.at(memory.word(data + i * word))
  const [inter, concrete, asserted] = [at(0), at(1), at(2)]
  if (!asserted) return undefined
  const missing = readString(memory, data + 3 * word, maxText).text
  const name = inter?.name ?? 'interface'
  if (!concrete) return `interface conversion: ${name} is nil, not ${asserted.name}`
  if (missing)
    return `interface conversion: ${concrete.name} is not ${asserted.name}: missing method ${missing}`
  const where = types.pkgPath(concrete) !== types.pkgPath(asserted) ? 'packages' : 'scopes'
  const hint = concrete.name === asserted.name ? ` (types from different ${where})` : ''
  return `interface conversion: ${name} is ${concrete.name}, not ${asserted.name}${hint}`
}

/** An error whose message is a field of its own and that we know no `Error` of: not its text, but what it holds. */
export function isErrorOrStringer(types: TypeReader, type: GoType): boolean {
  const methods = types.methods(type)
  return methods.includes('Error') || methods.includes('String')
}
