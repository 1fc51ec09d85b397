/** What a value has by name or by `*`: fields, those of embedded structs among them, and what a pointer points to. */
import { UsageError } from '../../base/errors.ts'
import { bytesPlace, memoryPlace, placeAt } from '../type/place.ts'
import type { Field, Type } from '../type/type.ts'
import type { Variable } from '../type/variable.ts'
import type { ValueContext } from './context.ts'
import { dynamicOf } from './interface.ts'
import { integerOf, readAddress } from './scalar.ts'

/** Embedded structs are looked into no deeper, and no more types than this. */
const maxEmbedding = 16
const maxEmbedded = 1024

/** What a pointer points to. Throws UsageError for what is none or nil. */
export function deref(context: ValueContext, variable: Variable): Variable {
  const { type, name } = variable
  if (type.kind !== 'pointer') throw new UsageError(`${describe(variable)} is not a pointer`)
  const elem = type.elem()
  if (!elem) throw new UsageError(`${describe(variable)} does not say what it points to`)
  const addr = readAddress(context, variable)
  if (addr === 0) throw new UsageError('nil pointer dereference')
  return { name: name && `*${name}`, type: elem, place: memoryPlace(context.memory, addr), flags: {} }
}

/**
 * The field of a struct or union, through pointers and interfaces, of an embedded one where the name is promoted, of a
 * channel's or map's header, or a captured variable of a closure; undefined where there is none.
 */
export function fieldOf(context: ValueContext, variable: Variable, name: string): Variable | undefined {
  const holder = structOf(context, variable)
  if (holder.type.kind !== 'struct' && holder.type.kind !== 'union')
    throw new UsageError(`${describe(variable)} is not a struct`)
  const path = findField(holder.type, name)
  if (!path) return undefined
  let at: Variable = holder
  for (const [i, field] of path.entries()) at = ownField(i === 0 ? at : structOf(context, at), field, context)
  const full = variable.name ? `${variable.name}.${name}` : name
  const last = path.at(-1)!
  if (last.name !== `&${name}`) return { ...at, name: full }
  return { ...deref(context, at), name: full, flags: { captured: true, escaped: true } }
}

/** A field of the struct itself. */
export function ownField(
  { place, name }: Pick<Variable, 'place' | 'name'>,
  field: Field,
  context: ValueContext,
): Variable {
  const type = field.type()
  const full = name ? `${name}.${field.name}` : field.name
  if (!field.bits) return { name: full, type, place: placeAt(place, field.offset), flags: {} }
  const { offset, size } = field.bits
  const raw = integerOf(
    place.read(field.offset, Math.ceil((offset + size) / 8)),
    false,
    context.memory.littleEndian,
  )
  const bits = BigInt.asUintN(size, raw >> BigInt(offset))
  const signed = (type.kind === 'int' || type.kind === 'enum') && type.signed
  const value = signed ? BigInt.asIntN(size, bits) : bits
  return {
    name: full,
    type,
    place: bytesPlace(bytesOf(value, type.size, context.memory.littleEndian)),
    flags: {},
  }
}

/** The integer in `size` bytes. */
export function bytesOf(value: bigint, size: number, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(size)
  for (let i = 0; i < size; i++)
    bytes[littleEndian ? i : size - 1 - i] = Number(BigInt.asUintN(8, value >> BigInt(8 * i)))
  return bytes
}

/** Through one pointer and one interface to what has fields. */
function structOf(context: ValueContext, variable: Variable): Variable {
  const { type } = variable
  switch (type.kind) {
    case 'interface': {
      const dynamic = dynamicOf(context, variable)
      if (!dynamic) throw new UsageError(`${variable.name || 'interface'} is nil`)
      return dynamic.type.kind === 'pointer' ? structOf(context, dynamic) : dynamic
    }
    case 'pointer': {
      const addr = readAddress(context, variable)
      const elem = type.elem()
      if (addr === 0) throw new UsageError(`${variable.name || 'pointer'} is nil`)
      if (!elem) return variable
      return { ...variable, type: elem, place: memoryPlace(context.memory, addr) }
    }
    case 'chan':
    case 'map': {
      const header = type.header?.()
      if (!header) return variable
      const addr = readAddress(context, variable)
      if (addr === 0) throw new UsageError(`${variable.name || type.kind} is nil`)
      return { ...variable, type: header, place: memoryPlace(context.memory, addr) }
    }
    case 'func': {
      const addr = readAddress(context, variable)
      if (addr === 0) throw new UsageError(`${variable.name || 'func'} is nil`)
      const closure = context.closureAt?.(context.memory.word(addr))
      return closure ? { ...variable, type: closure, place: memoryPlace(context.memory, addr) } : variable
    }
    default:
      return variable
  }
}

/** Go's rule: the shallowest depth that has the name; at equal depth the first one. */
function findField(type: Type, name: string): Field[] | undefined {
  let level: { type: Type; path: Field[] }[] = [{ type, path: [] }]
  const seen = new Set<string>()
  let looked = 0
  for (let depth = 0; depth < maxEmbedding && level.length > 0; depth++) {
    const next: typeof level = []
    for (const { type, path } of level) {
      if (type.kind !== 'struct' && type.kind !== 'union') continue
      for (const field of type.fields()) {
        if (field.name === name || field.name === `&${name}`) return [...path, field]
        // C's anonymous members promote theirs, as Go's embedded ones do.
        if (!field.embedded && !(field.name === '' && type.language === 'c')) continue
        if (bareName(field.name) === name) return [...path, field]
        let inner = field.type()
        if (inner.kind === 'pointer') inner = inner.elem() ?? inner
        if ((inner.named && seen.has(inner.name)) || ++looked > maxEmbedded) continue
        seen.add(inner.name)
        next.push({ type: inner, path: [...path, field] })
      }
    }
    level = next
  }
  return undefined
}

/** DWARF names an embedded field by its type: `sync.Mutex` or `main.T[int]` for `Mutex` and `T`. */
function bareName(name: string): string {
  const plain = name.replace(/\[.*$/, '')
  return plain.slice(plain.lastIndexOf('.') + 1)
}

/** `x (type T)`. */
export function describe({ name, type }: Variable): string {
  return `${name || 'value'} (type ${type.name})`
}
