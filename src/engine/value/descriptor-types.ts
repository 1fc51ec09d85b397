/** Types from the runtime's own descriptors, for programs and places without debug information. */
import { type Field, type Type, type TypeBase, unknownType } from '../type/type.ts'
import { integerKind } from './kind.ts'
import type { GoType, TypeReader } from './rtype.ts'

/** The type whose descriptor is at an address; undefined where none is. Each is made once. */
export function descriptorTypes(reader: TypeReader): (addr: number) => Type | undefined {
  const known = new Map<number, Type | undefined>()
  const typeAt = (addr: number): Type | undefined => {
    if (known.has(addr)) return known.get(addr)
    const found = reader.at(addr)
    const type = found && toType(reader, found, typeAt)
    known.set(addr, type)
    return type
  }
  return typeAt
}

function toType(reader: TypeReader, type: GoType, typeAt: (addr: number) => Type | undefined): Type {
  const { name, size, named, addr } = type
  const base: TypeBase = { name, size, named, language: 'go', from: 'descriptor', descriptor: addr }
  const at = (addr: number | undefined): Type =>
    (addr !== undefined && typeAt(addr)) || unknownType('?', `no type at 0x${(addr ?? 0).toString(16)}`)
  const elem = (): Type => at(reader.elem(type)?.addr)
  const integer = integerKind(type.kind)
  if (integer) {
    const uintptr = type.kind === 'uintptr' ? { uintptr: true } : {}
    return { ...base, kind: 'int', signed: integer === 'signed', ...uintptr }
  }
  switch (type.kind) {
    case 'float32':
    case 'float64':
      return { ...base, kind: 'float' }
    case 'complex64':
    case 'complex128':
      return { ...base, kind: 'complex' }
    case 'ptr':
      return { ...base, kind: 'pointer', elem }
    case 'array':
      return { ...base, kind: 'array', length: reader.arrayLength(type), elem }
    case 'slice':
      return { ...base, kind: 'slice', elem }
    case 'map':
      return { ...base, kind: 'map', key: () => at(reader.key(type)?.addr), elem }
    case 'chan':
      return { ...base, kind: 'chan', direction: reader.direction(type), elem }
    case 'interface':
      return { ...base, kind: 'interface', empty: reader.methodCount(type) === 0 }
    case 'func': {
      const parts = (): { params: Type[]; results: Type[] } => {
        const { params, results } = reader.signature(type)
        return { params: params.map(at), results: results.map(at) }
      }
      const { variadic } = reader.signature(type)
      return { ...base, kind: 'func', params: () => parts().params, results: () => parts().results, variadic }
    }
    case 'struct':
      return { ...base, kind: 'struct', fields: memo(() => fieldsOf(reader, type, at)) }
    case 'bool':
    case 'string':
    case 'unsafe.Pointer':
      return { ...base, kind: type.kind }
    default:
      return { ...base, kind: 'unknown', why: `a type of kind ${type.kind}` }
  }
}

function fieldsOf(reader: TypeReader, type: GoType, at: (addr: number) => Type): readonly Field[] {
  return reader
    .fields(type)
    .map(({ name, type, offset, embedded }) => ({ name, offset, embedded, type: () => at(type) }))
}

function memo<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}
