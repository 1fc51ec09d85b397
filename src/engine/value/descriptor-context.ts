/** A context that knows types by their descriptors only: for the panic's value, which is looked at before all else. */

import { memoryPlace } from '../type/place.ts'
import { unknownType } from '../type/type.ts'
import type { Variable } from '../type/variable.ts'
import type { ValueContext } from './context.ts'
import { descriptorTypes } from './descriptor-types.ts'
import type { GoType, TypeReader } from './rtype.ts'

export function descriptorContext(
  reader: TypeReader,
  more: { goMinor: number } & Partial<Pick<ValueContext, 'layout' | 'functionAt'>>,
): ValueContext {
  const nothing = (): undefined => undefined
  return {
    memory: reader.memory,
    typeAt: descriptorTypes(reader),
    goMinor: more.goMinor,
    layout: more.layout ?? nothing,
    functionAt: more.functionAt ?? nothing,
  }
}

/** What an interface holds: the data word at `addr` is the value itself for pointer-shaped types, else its address. */
export function dynamicVariable(
  context: ValueContext,
  { addr: descriptor, name, pointerShaped }: GoType,
  data: { readonly word: number; readonly addr: number },
): Variable {
  const type = context.typeAt(descriptor) ?? unknownType(name, 'no type')
  return {
    name: '',
    type,
    place: memoryPlace(context.memory, pointerShaped ? data.addr : data.word),
    flags: {},
  }
}
