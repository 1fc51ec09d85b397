/** Fields by name, for code that knows a type of Go's library: several names stand for several versions of it. */
import type { Variable } from '../type/variable.ts'
import type { ValueContext } from './context.ts'
import { fieldOf } from './field.ts'
import { readInteger } from './scalar.ts'

/** The first field of these names that there is; a dot goes into a field. Undefined where there is none. */
export function member(
  context: ValueContext,
  variable: Variable,
  ...names: readonly string[]
): Variable | undefined {
  for (const name of names) {
    let at: Variable | undefined = variable
    for (const part of name.split('.')) at = at && hasFields(at) ? fieldOf(context, at, part) : undefined
    if (at) return at
  }
  return undefined
}

/** The integer in such a field, or in the `v` or `value` of an atomic type there. */
export function memberInteger(
  context: ValueContext,
  variable: Variable,
  ...names: readonly string[]
): bigint | undefined {
  const found = member(context, variable, ...names)
  const inner = found?.type.kind === 'struct' ? member(context, found, 'v', 'value', 'u.value') : found
  return inner && inner.type.kind !== 'struct' ? readInteger(context, inner) : undefined
}

function hasFields({ type }: Variable): boolean {
  return ['struct', 'union', 'pointer', 'interface'].includes(type.kind)
}
