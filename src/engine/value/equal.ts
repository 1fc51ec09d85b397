/** Go's `==`, as texts that are equal where the values are: so that a scan of many keys makes one text of each. */
import { UsageError } from '../../base/errors.ts'
import { placeAt } from '../type/place.ts'
import type { Variable } from '../type/variable.ts'
import type { ValueContext } from './context.ts'
import { describe, ownField } from './field.ts'
import { dynamicOf } from './interface.ts'
import { readFloat, readInteger, readText } from './scalar.ts'

const maxKeyText = 1 << 20
const maxParts = 4096
/** Bytes of text that cost as much as a part. */
const textPart = 64

/**
 * A text that equals another variable's where `==` holds; undefined for what equals nothing, a NaN. `dynamic`: to be
 * compared with interfaces, so the type is part of it. `budget`: parts that many comparisons may look at together.
 * Throws UsageError for what Go doesn't compare and for what is too much.
 */
export function comparable(
  context: ValueContext,
  variable: Variable,
  dynamic = false,
  budget: { left: number } = { left: maxParts + maxKeyText / textPart },
): string | undefined {
  return textOf(context, variable, dynamic, budget)
}

function textOf(
  context: ValueContext,
  variable: Variable,
  dynamic: boolean,
  budget: { left: number },
): string | undefined {
  if (budget.left-- <= 0) throw new UsageError(`${describe(variable)} is too large to compare`)
  const { type } = variable
  if (type.kind === 'interface') {
    const value = dynamicOf(context, variable)
    return value ? textOf(context, value, true, budget) : 'nil'
  }
  const text = plainText(context, variable, budget)
  return dynamic && text !== undefined ? `${type.name} ${text}` : text
}

function plainText(context: ValueContext, variable: Variable, budget: { left: number }): string | undefined {
  const { type, place } = variable
  const all = (parts: (string | undefined)[]): string | undefined =>
    parts.includes(undefined) ? undefined : `{${parts.join()}}`
  switch (type.kind) {
    case 'string': {
      const { bytes } = readText(context, variable, maxKeyText)
      budget.left -= bytes.length / textPart
      return JSON.stringify(latin1(bytes))
    }
    case 'float':
      return floatText(readFloat(context, variable))
    case 'complex':
      return all([0, 1].map(part => floatText(readFloat(context, variable, part))))
    case 'struct':
      return all(
        type
          .fields()
          .filter(({ name }) => name !== '_')
          .map(field => textOf(context, ownField(variable, field, context), false, budget)),
      )
    case 'array': {
      const elem = type.elem()
      if (type.length > maxParts) throw new UsageError(`${describe(variable)} is too large to compare`)
      const at = (i: number): Variable => ({ ...variable, type: elem, place: placeAt(place, i * elem.size) })
      return all(Array.from({ length: type.length }, (_, i) => textOf(context, at(i), false, budget)))
    }
    case 'bool':
    case 'int':
    case 'enum':
    case 'pointer':
    case 'unsafe.Pointer':
    case 'chan':
      return String(readInteger(context, variable))
    default:
      throw new UsageError(`${describe(variable)} can not be compared`)
  }
}

const floatText = (value: number): string | undefined => (Number.isNaN(value) ? undefined : String(value + 0))

/** One character a byte: texts that are not UTF-8 stay apart. */
function latin1(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}
