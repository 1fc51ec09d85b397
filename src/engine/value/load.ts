/**
 * Loads a variable's value as far as the limits let it. Pointers count for no depth but for a pointer to a pointer or
 * to an interface, as in dlv, so that a list shows its second link. What cannot be read costs that value alone.
 */
import { MemoryFault, SinkError } from '../../base/errors.ts'
import { memoryPlace, OptimizedOut, placeAt } from '../type/place.ts'
import { arrayOf, type Field, pointerTo, type Type, type TypeOf } from '../type/type.ts'
import type { Variable } from '../type/variable.ts'
import { chanState, type Waiter } from './chan.ts'
import { describeConstant } from './constant.ts'
import type { ValueContext } from './context.ts'
import { isCText, isCTextArray } from './element.ts'
import { ownField } from './field.ts'
import { glanceOf } from './glance.ts'
import { dynamicOf } from './interface.ts'
import { mapEntries, mapLength } from './map.ts'
import {
  headerWord,
  readAddress,
  readBool,
  readCText,
  readFloat,
  readInteger,
  readText,
  toAddress,
} from './scalar.ts'
import {
  fullLimits,
  type LoadedWaiter,
  type NamedValue,
  type Value,
  type ValueBase,
  type ValueLimits,
} from './value.ts'

/** After so many unreadable elements the rest is not tried. */
const maxErrors = 3
/** Pointers to pointers to pointers, arrays of arrays: no program nests deeper. */
const maxNesting = 64
/** Bytes of an array of characters that are looked at for its end. */
const maxArrayText = 1 << 16
/** Bytes of the largest complex; a damaged type may say more. */
const maxScalar = 32
const scalars: ReadonlySet<Type['kind']> = new Set(['bool', 'int', 'enum', 'float', 'complex'])

/** The value of a variable. Never throws for what cannot be read. */
export function loadValue(
  context: ValueContext,
  variable: Variable,
  limits: ValueLimits = fullLimits,
): Value {
  return new Loader(context, limits).load(variable, 0)
}

class Loader {
  readonly #context: ValueContext
  readonly #limits: ValueLimits
  readonly #slots: { left: number }
  #left: number
  #nesting = 0

  constructor(context: ValueContext, limits: ValueLimits) {
    this.#context = context
    this.#limits = limits
    this.#left = limits.values
    this.#slots = { left: limits.slots }
  }

  load(variable: Variable, depth: number): Value {
    const { type, place } = variable
    const base: ValueBase = {
      type,
      ...(place.addr === undefined ? {} : { address: place.addr }),
      ...(place.notes ? { notes: place.notes } : {}),
    }
    if (this.#left-- <= 0 || this.#nesting >= maxNesting) return { ...base, kind: 'omitted' }
    this.#nesting++
    try {
      const value = this.#load(variable, base, depth)
      const glance = glanceOf(this.#context, variable)
      return glance ? { ...value, ...glance } : value
    } catch (error) {
      return { ...base, kind: 'unreadable', ...unreadable(error) }
    } finally {
      this.#nesting--
    }
  }

  #load(variable: Variable, base: ValueBase, depth: number): Value {
    const context = this.#context
    const { type } = variable
    if (scalars.has(type.kind) && type.size > maxScalar)
      throw new MemoryFault(base.address ?? 0, `has a ${type.kind} of ${type.size} bytes`)
    switch (type.kind) {
      case 'bool':
        return { ...base, kind: 'bool', value: readBool(variable) }
      case 'int':
      case 'enum': {
        const value = readInteger(context, variable)
        const constant = variable.flags.constant ? undefined : describeConstant(type, value)
        return { ...base, kind: type.kind, value, ...(constant === undefined ? {} : { constant }) }
      }
      case 'float':
        return { ...base, kind: 'float', value: readFloat(context, variable), bits: type.size * 8 }
      case 'complex': {
        const [real, imag] = [readFloat(context, variable, 0), readFloat(context, variable, 1)]
        return { ...base, kind: 'complex', real, imag, bits: type.size * 8 }
      }
      case 'string': {
        const pointer = variable.place.text ? 0n : headerWord(context, variable, 0)
        return { ...base, kind: 'string', ...readText(context, variable, this.#limits.text), pointer }
      }
      case 'pointer':
        return this.#pointer(variable, type, base, depth)
      case 'unsafe.Pointer':
        return { ...base, kind: 'unsafe.Pointer', pointer: readInteger(context, variable) }
      case 'array': {
        if (isCTextArray(type)) return { ...base, kind: 'string', ...this.#arrayText(variable, type) }
        const items = this.#items(variable.place, type.elem(), type.length, variable, depth)
        return { ...base, kind: 'array', items, length: type.length, capacity: type.length, nil: false }
      }
      case 'slice':
        return this.#slice(variable, type, base, depth)
      case 'struct':
      case 'union': {
        const all = type.fields()
        const fields = depth > this.#limits.depth ? [] : this.#fields(variable, all, depth)
        return { ...base, kind: type.kind, fields, length: all.length }
      }
      case 'map':
        return this.#map(variable, base, depth)
      case 'chan':
        return this.#chan(variable, type, base)
      case 'interface': {
        const dynamic = dynamicOf(context, variable)
        if (!dynamic) return { ...base, kind: 'interface' }
        if (depth <= this.#limits.depth)
          return { ...base, kind: 'interface', dynamic: this.load(dynamic, depth) }
        const { addr } = dynamic.place
        const omitted: Value = {
          type: dynamic.type,
          ...(addr === undefined ? {} : { address: addr }),
          kind: 'omitted',
        }
        return { ...base, kind: 'interface', dynamic: omitted }
      }
      case 'func':
        return this.#func(variable, base, depth)
      case 'unknown':
        return { ...base, kind: 'unreadable', reason: type.why, optimizedOut: false }
    }
  }

  #pointer(variable: Variable, type: TypeOf<'pointer'>, base: ValueBase, depth: number): Value {
    const pointer = readInteger(this.#context, variable)
    const elem = type.elem()
    if (isCText(type)) {
      if (pointer === 0n) return { ...base, kind: 'pointer', pointer }
      const { bytes, ended } = readCText(this.#context.memory, toAddress(pointer), this.#limits.text)
      return { ...base, kind: 'string', bytes, pointer, ...(ended ? { length: bytes.length } : {}) }
    }
    if (!elem) return { ...base, kind: 'unsafe.Pointer', pointer }
    if (elem.kind === 'func' && elem.language === 'c') return this.#code(base, pointer)
    const inward = elem.kind === 'interface' || elem.kind === 'pointer'
    const tooDeep = elem.kind === 'pointer' && depth > this.#limits.depth
    const known = variable.flags.computed || !this.#limits.follow
    if (known || pointer === 0n || tooDeep) return { ...base, kind: 'pointer', pointer }
    const target = this.#at(pointer, elem, inward ? depth + 1 : depth)
    return { ...base, kind: 'pointer', pointer, target }
  }

  /** What stands in an array of characters: its NULs at the end are only room. */
  #arrayText(
    { place }: Variable,
    { length, flexible }: TypeOf<'array'>,
  ): { bytes: Uint8Array; length?: number; pointer: bigint } {
    if (flexible && place.addr !== undefined) {
      const { bytes, ended } = readCText(this.#context.memory, place.addr, this.#limits.text)
      return { bytes, pointer: BigInt(place.addr), ...(ended ? { length: bytes.length } : {}) }
    }
    const bytes = place.read(0, Math.min(length, maxArrayText))
    const end = bytes.findLastIndex(byte => byte !== 0) + 1
    return {
      bytes: bytes.slice(0, Math.min(end, this.#limits.text)),
      length: length > bytes.length ? length : end,
      pointer: BigInt(place.addr ?? 0),
    }
  }

  #at(pointer: bigint, type: Type, depth: number): Value {
    const addr = Number(pointer)
    return this.load({ name: '', type, place: memoryPlace(this.#context.memory, addr), flags: {} }, depth)
  }

  #slice(variable: Variable, type: TypeOf<'slice'>, base: ValueBase, depth: number): Value {
    const [array, length, capacity] = [0, 1, 2].map(i => headerWord(this.#context, variable, i)) as [
      bigint,
      bigint,
      bigint,
    ]
    const count = Number(BigInt.asIntN(64, length))
    if (count < 0 || count > 2 ** 47)
      throw new MemoryFault(variable.place.addr ?? 0, `has an invalid length ${count}`)
    const place = memoryPlace(this.#context.memory, count === 0 ? 0 : toAddress(array))
    const items = this.#items(place, type.elem(), count, variable, depth)
    const nil = array === 0n
    if (nil && count > 0) throw new MemoryFault(0, `is no array of ${count} elements`)
    return {
      ...base,
      kind: 'slice',
      items,
      length: count,
      capacity: Number(BigInt.asIntN(64, capacity)),
      nil,
    }
  }

  #items(place: Variable['place'], elem: Type, length: number, { window }: Variable, depth: number): Value[] {
    const count = Math.min(length, window ? this.#limits.values : this.#limits.items)
    const items: Value[] = []
    let errors = 0
    for (let i = 0; i < count && this.#left > 0; i++) {
      const item = this.load(
        { name: '', type: elem, place: placeAt(place, i * elem.size), flags: {} },
        depth + 1,
      )
      items.push(item)
      if (item.kind === 'unreadable' && ++errors > maxErrors) break
    }
    return items
  }

  #fields(holder: Variable, fields: readonly Field[], depth: number): NamedValue[] {
    const loaded: NamedValue[] = []
    for (const field of fields) {
      if (loaded.length >= this.#limits.fields || this.#left <= 0) break
      loaded.push({ name: field.name, value: this.#field(holder, field, depth) })
    }
    return loaded
  }

  #field(holder: Variable, field: Field, depth: number): Value {
    try {
      return this.load(ownField({ ...holder, name: '' }, field, this.#context), depth + 1)
    } catch (error) {
      return { type: field.type(), kind: 'unreadable', ...unreadable(error) }
    }
  }

  #map(variable: Variable, base: ValueBase, depth: number): Value {
    const context = this.#context
    const length = mapLength(context, variable)
    const nil = readAddress(context, variable) === 0
    const entries: { key: Value; value: Value }[] = []
    const { skip = 0, count = this.#limits.items } = variable.window ?? {}
    if (depth > this.#limits.depth && !variable.window) return { ...base, kind: 'map', entries, length, nil }
    let damage: string | undefined
    let seen = 0
    let errors = 0
    try {
      if (count > 0)
        for (const { key, value } of mapEntries(context, variable, this.#slots)) {
          if (seen++ < skip) continue
          const entry = { key: this.load(key, depth + 1), value: this.load(value, depth + 1) }
          entries.push(entry)
          if (entry.key.kind === 'unreadable' || entry.value.kind === 'unreadable') errors++
          if (entries.length >= count || errors > maxErrors || this.#left <= 0) break
        }
    } catch (error) {
      damage = unreadable(error).reason
    }
    if (this.#slots.left <= 0) damage = `more than ${this.#limits.slots} slots`
    return { ...base, kind: 'map', entries, length, nil, ...(damage === undefined ? {} : { damage }) }
  }

  #chan(variable: Variable, type: TypeOf<'chan'>, base: ValueBase): Value {
    const context = this.#context
    const pointer = readAddress(context, variable)
    const state = chanState(
      context,
      variable,
      variable.window?.count ?? this.#limits.items,
      variable.window?.skip,
    )
    if (!state) return { ...base, kind: 'chan', pointer }
    const header = this.#chanHeader(type, pointer, state.capacity)
    return {
      ...base,
      kind: 'chan',
      pointer,
      state: {
        ...state,
        items: state.items.map(item => this.load(item, 1)),
        receivers: state.receivers.map(waiter => this.#waiter(waiter)),
        senders: state.senders.map(waiter => this.#waiter(waiter)),
      },
      ...(header ? { header } : {}),
    }
  }

  #waiter({ goroutine, select, value }: Waiter): LoadedWaiter {
    return value ? { goroutine, select, value: this.load(value, 1) } : { goroutine, select }
  }

  /** As dlv shows it: the runtime's hchan with its buffer's type. */
  #chanHeader(type: TypeOf<'chan'>, pointer: number, capacity: number): Value | undefined {
    const header = this.#limits.follow ? type.header?.() : undefined
    if (header?.kind !== 'struct') return undefined
    const { ptrSize } = this.#context.memory
    const fields = header.fields().map((field): Field => {
      if (field.name !== 'buf') return field
      return { ...field, type: () => pointerTo(arrayOf(type.elem(), capacity), ptrSize) }
    })
    const typed: Type = { ...header, fields: () => fields }
    return this.#at(BigInt(pointer), typed, 0)
  }

  #func(variable: Variable, base: ValueBase, depth: number): Value {
    const context = this.#context
    if (variable.type.language === 'c') return this.#code(base, BigInt(base.address ?? 0))
    const at = readAddress(context, variable)
    if (at === 0) return { ...base, kind: 'func', pc: 0, captured: [] }
    const pc = context.memory.word(at)
    const name = context.functionAt(pc)
    if (name === undefined) {
      const reason = `0x${pc.toString(16)}: no function`
      return { ...base, kind: 'unreadable', reason, optimizedOut: false }
    }
    const closure = depth <= this.#limits.depth ? context.closureAt?.(pc) : undefined
    const captured = closure?.kind === 'struct' ? this.#captured(at, closure.fields(), depth) : []
    return { ...base, kind: 'func', pc, function: name, captured }
  }

  /** C's pointer to a function, which is the address of its code. */
  #code(base: ValueBase, pointer: bigint): Value {
    const pc = Number(pointer)
    const name = this.#context.codeAt?.(pc)
    return { ...base, kind: 'func', pc, ...(name === undefined ? {} : { function: name }), captured: [] }
  }

  /** Those captured by reference are kept as `&x`, and shown as `x`. */
  #captured(at: number, fields: readonly Field[], depth: number): NamedValue[] {
    const holder: Variable = {
      name: '',
      type: { kind: 'unknown', name: '', size: 0, language: 'go', from: 'dwarf', named: false, why: '' },
      place: memoryPlace(this.#context.memory, at),
      flags: {},
    }
    return this.#fields(holder, fields, depth).map(({ name, value }) => {
      if (!name.startsWith('&')) return { name, value }
      return { name: name.slice(1), value: value.kind === 'pointer' && value.target ? value.target : value }
    })
  }
}

/** Rethrows what is not about the program's memory. */
function unreadable(error: unknown): { reason: string; optimizedOut: boolean } {
  if (error instanceof OptimizedOut) return { reason: error.message, optimizedOut: true }
  if (error instanceof MemoryFault)
    return {
      reason: `0x${error.addr.toString(16)}: ${error.reason.replace(/^is /, '')}`,
      optimizedOut: false,
    }
  if (error instanceof SinkError) return { reason: error.message, optimizedOut: false }
  throw error
}
