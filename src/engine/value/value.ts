/**
 * A loaded value: a snapshot of a variable for printing, as data, with what could not be read and what was left out in
 * their places.
 */
import type { Type } from '../type/type.ts'
import type { ChanState } from './chan.ts'

export interface ValueBase {
  readonly type: Type
  /** Where it lies in memory; absent for registers and constants. */
  readonly address?: number
  /** What it means, for types whose bytes say it badly: `2h0m0s`, `locked, 2 waiting`. */
  readonly glance?: string
  /** What dlv says of it beside its fields: of a time. */
  readonly beside?: string
  /** Said beside it: where a value was found. */
  readonly notes?: readonly string[]
}

export interface NamedValue {
  readonly name: string
  readonly value: Value
}

export interface LoadedWaiter {
  readonly goroutine: number | undefined
  readonly select: boolean
  readonly value?: Value
}

export type Value = ValueBase &
  (
    | { readonly kind: 'bool'; readonly value: boolean }
    /** `constant`: the name declared for it, or several that make it up (`Read|Write`). */
    | { readonly kind: 'int' | 'enum'; readonly value: bigint; readonly constant?: string }
    | { readonly kind: 'float'; readonly value: number; readonly bits: number }
    | { readonly kind: 'complex'; readonly real: number; readonly imag: number; readonly bits: number }
    /** Bytes as read, which may be no UTF-8; `length` of the whole, unknown (absent) for a C text that was cut. */
    | {
        readonly kind: 'string'
        readonly bytes: Uint8Array
        readonly length?: number
        readonly pointer: bigint
      }
    /** `target` is absent where it was not followed. */
    | { readonly kind: 'pointer'; readonly pointer: bigint; readonly target?: Value }
    | { readonly kind: 'unsafe.Pointer'; readonly pointer: bigint }
    | {
        readonly kind: 'array' | 'slice'
        /** From element `skip` on. */
        readonly items: readonly Value[]
        readonly length: number
        readonly capacity: number
        readonly nil: boolean
      }
    | { readonly kind: 'struct' | 'union'; readonly fields: readonly NamedValue[]; readonly length: number }
    | {
        readonly kind: 'map'
        readonly entries: readonly { readonly key: Value; readonly value: Value }[]
        readonly length: number
        readonly nil: boolean
        /** Why entries are missing, where it is not for the limit on their number. */
        readonly damage?: string
      }
    /** `state` is absent for nil. */
    | {
        readonly kind: 'chan'
        readonly pointer: number
        readonly state?: Omit<ChanState, 'items' | 'senders' | 'receivers'> & {
          readonly items: readonly Value[]
          readonly receivers: readonly LoadedWaiter[]
          readonly senders: readonly LoadedWaiter[]
        }
        /** The runtime's own structure, field by field. */
        readonly header?: Value
      }
    /** `dynamic` is absent for nil. */
    | { readonly kind: 'interface'; readonly dynamic?: Value }
    /** `pc` is 0 for nil. */
    | {
        readonly kind: 'func'
        readonly pc: number
        readonly function?: string
        readonly captured: readonly NamedValue[]
      }
    | { readonly kind: 'unreadable'; readonly reason: string; readonly optimizedOut: boolean }
    /** Left out for the limits: its type and address only. */
    | { readonly kind: 'omitted' }
  )

export type ValueKind = Value['kind']

export interface ValueLimits {
  /** Structs, maps and interfaces within each other that are opened: 1 is a struct and the structs in it. */
  readonly depth: number
  /** Elements of an array, slice, map or channel. */
  readonly items: number
  /** Fields of a struct. */
  readonly fields: number
  /** Bytes of a string. */
  readonly text: number
  /** Whether what pointers point to is loaded, too. */
  readonly follow: boolean
  /** Values in all, however they nest. */
  readonly values: number
  /** Slots of maps that are looked at in all. */
  readonly slots: number
}

/** What `print` shows: as dlv's, with bounds where it has none. */
export const fullLimits: ValueLimits = {
  depth: 1,
  items: 64,
  fields: Infinity,
  text: 64,
  follow: true,
  values: 100_000,
  slots: 1 << 20,
}

/** What `locals` and `args` show of each. */
export const shortLimits: ValueLimits = { ...fullLimits, depth: 0, items: 0, fields: 3, follow: false }
