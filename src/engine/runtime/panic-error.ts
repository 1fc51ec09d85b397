/**
 * What `Error()` of the runtime's own errors, and of those that every program uses, would have said. Needed where a
 * panic's value is still the error itself: the runtime replaces it by its text (preprintpanics) only just before it
 * dies, so a process that was stopped while its deferred calls still ran has not got that far.
 */

import { utf8 } from '../bytes/cursor.ts'
import { memoryPlace } from '../type/place.ts'
import { descriptorContext } from '../value/descriptor-context.ts'
import { errorText as libraryErrorText } from '../value/glance-error.ts'
import type { GoType, TypeReader } from '../value/rtype.ts'
import { readStringAt } from '../value/scalar.ts'

const maxText = 4096

/** `data`: address of the value that the interface holds; of what it points to for pointer types. */
export function errorText(
  types: TypeReader,
  type: GoType,
  data: number,
  goMinor: number,
): string | undefined {
  if (type.name === '*runtime.TypeAssertionError') return typeAssertionText(types, data)
  const context = descriptorContext(types, { goMinor })
  const held = type.kind === 'ptr' ? types.elem(type) : type
  const of = held && context.typeAt(held.addr)
  const place = memoryPlace(types.memory, data)
  return of && libraryErrorText(context, { name: '', type: of, place, flags: {} })
}

function typeAssertionText(types: TypeReader, data: number): string | undefined {
  const { memory } = types
  const word = memory.ptrSize
  const at = (i: number): GoType | undefined => types.at(memory.word(data + i * word))
  const [inter, concrete, asserted] = [at(0), at(1), at(2)]
  if (!asserted) return undefined
  const missing = utf8(readStringAt(memory, data + 3 * word, maxText).bytes)
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
