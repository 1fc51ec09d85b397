/** Interfaces: eface {type, data} and iface {itab, data} with the type in the itab's second word (internal/abi/iface.go). */
import { memoryPlace, placeAt } from '../type/place.ts'
import { type Type, unknownType } from '../type/type.ts'
import type { Variable } from '../type/variable.ts'
import type { ValueContext } from './context.ts'
import { headerWord, toAddress } from './scalar.ts'

/** Address of the dynamic type's descriptor; 0 for a nil interface. */
export function dynamicDescriptor(context: ValueContext, variable: Variable): number {
  const first = toAddress(headerWord(context, variable, 0))
  if (first === 0) return 0
  const { type } = variable
  return type.kind === 'interface' && type.empty ? first : context.memory.word(first + context.memory.ptrSize)
}

/** The value that an interface holds; undefined for nil. */
export function dynamicOf(context: ValueContext, variable: Variable): Variable | undefined {
  const descriptor = dynamicDescriptor(context, variable)
  if (descriptor === 0) return undefined
  const { ptrSize } = context.memory
  const type = context.typeAt(descriptor)
  const name = variable.name && `${variable.name}.(data)`
  const data = placeAt(variable.place, ptrSize)
  if (!type)
    return { name, type: unknownType('?', `no type at 0x${descriptor.toString(16)}`), place: data, flags: {} }
  if (isDirect(context, descriptor, type)) return { name, type, place: data, flags: {} }
  return {
    name,
    type,
    place: memoryPlace(context.memory, toAddress(headerWord(context, variable, 1))),
    flags: {},
  }
}

/** Whether the data word is the value itself. Go 1.26 (CL 681936) moved the flag from the kind byte (1<<5) to tflag (1<<5). */
function isDirect({ memory }: ValueContext, descriptor: number, type: Type): boolean {
  if (type.size !== memory.ptrSize) return false
  if (!memory.has(descriptor, 4 * memory.ptrSize)) return type.kind === 'pointer'
  const at = descriptor + 2 * memory.ptrSize
  return ((memory.u8(at + 4) | memory.u8(at + 7)) & 32) !== 0
}
