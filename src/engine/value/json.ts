/** Values as plain data for programs: integers beyond 2^53 as texts, addresses as `0x…`. */
import { utf8 } from '../bytes/cursor.ts'
import type { NamedValue, Value } from './value.ts'

export interface JsonValue {
  readonly name?: string
  readonly type: string
  readonly kind: string
  /** A bool, number or text; of an int or float that JSON's numbers cannot hold, a text; of a func its name. */
  readonly value?: string | number | boolean | null
  readonly address?: string
  /** What a pointer, map, chan or string header points to. */
  readonly pointer?: string
  readonly length?: number
  readonly capacity?: number
  /** The meaning of a time, lock, error, …. */
  readonly glance?: string
  readonly constant?: string
  readonly children?: readonly JsonValue[]
  /** Of a map: one pair an entry. */
  readonly entries?: readonly { readonly key: JsonValue; readonly value: JsonValue }[]
  readonly closed?: boolean
  readonly receivers?: readonly JsonWaiter[]
  readonly senders?: readonly JsonWaiter[]
  /** Something was left out for the limits. */
  readonly truncated?: true
  readonly unreadable?: string
  readonly notes?: readonly string[]
  /** A string that is not UTF-8: its bytes in base 16. */
  readonly bytes?: string
}

export interface JsonWaiter {
  readonly goroutine: number | null
  readonly select: boolean
  readonly value?: JsonValue
}

export function toJson(value: Value, name?: string): JsonValue {
  const { type, address, glance, notes } = value
  return {
    ...(name === undefined ? {} : { name }),
    type: type.name,
    kind: value.kind === 'unreadable' || value.kind === 'omitted' ? type.kind : value.kind,
    ...(address === undefined ? {} : { address: hex(address) }),
    ...(glance === undefined ? {} : { glance }),
    ...parts(value),
    ...(notes ? { notes } : {}),
  }
}

function parts(value: Value): Partial<JsonValue> {
  switch (value.kind) {
    case 'unreadable':
      return { unreadable: value.reason }
    case 'omitted':
      return { truncated: true }
    case 'bool':
      return { value: value.value }
    case 'int':
    case 'enum': {
      const exact = value.value >= -(2n ** 53n) && value.value <= 2n ** 53n
      const constant = value.constant === undefined ? {} : { constant: value.constant }
      return { value: exact ? Number(value.value) : String(value.value), ...constant }
    }
    case 'float':
      return { value: Number.isFinite(value.value) ? value.value : String(value.value) }
    case 'complex':
      return { value: `(${value.real}${value.imag < 0 ? '' : '+'}${value.imag}i)` }
    case 'string': {
      const { bytes, length, pointer } = value
      const text = utf8(bytes)
      return {
        value: text,
        pointer: hex(pointer),
        ...(length === undefined ? {} : { length }),
        ...(text.includes('\ufffd')
          ? { bytes: [...bytes].map(byte => byte.toString(16).padStart(2, '0')).join('') }
          : {}),
        ...truncated(length === undefined || bytes.length < length),
      }
    }
    case 'pointer':
      if (value.pointer === 0n) return { value: null, pointer: hex(0) }
      if (!value.target) return { pointer: hex(value.pointer), truncated: true }
      return { pointer: hex(value.pointer), children: [toJson(value.target)] }
    case 'unsafe.Pointer':
      return { pointer: hex(value.pointer) }
    case 'array':
    case 'slice': {
      const { items, length, capacity, nil } = value
      const children = items.map(item => toJson(item))
      return {
        length,
        capacity,
        ...(nil ? { value: null } : {}),
        children,
        ...truncated(items.length < length),
      }
    }
    case 'struct':
    case 'union':
      return { ...named(value.fields), ...truncated(value.fields.length < value.length) }
    case 'map': {
      const { entries, length, nil, damage } = value
      return {
        length,
        ...(nil ? { value: null } : {}),
        entries: entries.map(({ key, value }) => ({ key: toJson(key), value: toJson(value) })),
        ...(damage === undefined ? {} : { unreadable: damage }),
        ...truncated(entries.length < length),
      }
    }
    case 'chan': {
      const { state, pointer } = value
      if (!state) return { value: null, pointer: hex(0) }
      const waiters = (list: typeof state.senders): JsonWaiter[] =>
        list.map(({ goroutine = null, select, value }) =>
          value ? { goroutine, select, value: toJson(value) } : { goroutine, select },
        )
      return {
        pointer: hex(pointer),
        length: state.length,
        capacity: state.capacity,
        closed: state.closed,
        children: state.items.map(item => toJson(item)),
        receivers: waiters(state.receivers),
        senders: waiters(state.senders),
        ...truncated(state.cut || state.items.length < state.length),
      }
    }
    case 'interface':
      return value.dynamic ? { children: [toJson(value.dynamic)] } : { value: null }
    case 'func': {
      const { pc, captured } = value
      if (pc === 0) return { value: null }
      return { value: value.function ?? hex(pc), pointer: hex(pc), ...named(captured) }
    }
  }
}

const named = (fields: readonly NamedValue[]): { children: JsonValue[] } => ({
  children: fields.map(({ name, value }) => toJson(value, name)),
})
const truncated = (is: boolean): { truncated?: true } => (is ? { truncated: true } : {})
const hex = (value: number | bigint): string => `0x${value.toString(16)}`
