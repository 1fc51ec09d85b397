/** A value of the program as JSON: 64-bit numbers and addresses as texts, texts that are no UTF-8 with their bytes too. */
import type { NamedValue, ProgramValue } from '../../engine/index.ts'

type Json = Record<string, unknown>

export function valueJson(value: ProgramValue): Json {
  const { address, glance, notes } = value
  return {
    type: value.type.name,
    kind: value.kind,
    ...(address === undefined ? {} : { address: hex(address) }),
    ...contents(value),
    ...(glance === undefined ? {} : { glance }),
    ...(notes ? { notes } : {}),
  }
}

export const hex = (value: number | bigint): string => `0x${value.toString(16)}`

const named = (list: readonly NamedValue[]): Json[] =>
  list.map(({ name, value }) => ({ name, ...valueJson(value) }))

function contents(value: ProgramValue): Json {
  switch (value.kind) {
    case 'bool':
      return { value: value.value }
    case 'int':
    case 'enum': {
      const { constant } = value
      return { value: String(value.value), ...(constant === undefined ? {} : { constant }) }
    }
    case 'float':
      return { value: float(value.value) }
    case 'complex':
      return { real: float(value.real), imag: float(value.imag) }
    case 'string':
      return text(value.bytes, value.length)
    case 'pointer':
    case 'unsafe.Pointer': {
      const target = value.kind === 'pointer' ? value.target : undefined
      return { pointer: hex(value.pointer), ...(target ? { target: valueJson(target) } : {}) }
    }
    case 'array':
    case 'slice': {
      const { length, capacity, nil } = value
      return {
        length,
        ...(value.kind === 'slice' ? { capacity, nil } : {}),
        items: value.items.map(valueJson),
      }
    }
    case 'struct':
    case 'union':
      return { fields: named(value.fields), fieldCount: value.length }
    case 'map': {
      const { length, nil, damage } = value
      const entries = value.entries.map(({ key, value }) => ({
        key: valueJson(key),
        value: valueJson(value),
      }))
      return { length, nil, entries, ...(damage === undefined ? {} : { damage }) }
    }
    case 'chan':
      return channel(value)
    case 'interface':
      return { nil: !value.dynamic, ...(value.dynamic ? { dynamic: valueJson(value.dynamic) } : {}) }
    case 'func':
      return {
        pc: hex(value.pc),
        ...(value.function ? { function: value.function } : {}),
        captured: named(value.captured),
      }
    case 'unreadable':
      return { reason: value.reason, optimizedOut: value.optimizedOut }
    case 'omitted':
      return {}
  }
}

/** JSON has no NaN and no infinities. */
const float = (value: number): number | string => (Number.isFinite(value) ? value : String(value))

function text(bytes: Uint8Array, length: number | undefined): Json {
  const buffer = Buffer.from(bytes)
  const decoded = buffer.toString('utf8')
  return {
    value: decoded,
    ...(length === undefined ? {} : { length }),
    ...(Buffer.from(decoded).equals(buffer) ? {} : { bytes: buffer.toString('hex') }),
  }
}

function channel({ pointer, state }: Extract<ProgramValue, { kind: 'chan' }>): Json {
  if (!state) return { pointer: hex(pointer), nil: true }
  const { length, capacity, closed, items, receivers, senders } = state
  const waiters = (list: typeof senders): Json[] =>
    list.map(({ goroutine, select, value }) => ({
      goroutine,
      select,
      ...(value ? { value: valueJson(value) } : {}),
    }))
  return {
    pointer: hex(pointer),
    nil: false,
    length,
    capacity,
    closed,
    items: items.map(valueJson),
    receivers: waiters(receivers),
    senders: waiters(senders),
  }
}
