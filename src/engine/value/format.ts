/**
 * Values as dlv 1.27 prints them, on one line or on several (its service/api/prettyprint.go is where the form was
 * learned), but for types that are better read at a glance, unless their raw form is asked for.
 */
import type { Type } from '../type/type.ts'
import { decimal, quote } from './text.ts'
import type { LoadedWaiter, NamedValue, Value } from './value.ts'

export interface FormatOptions {
  /** On several lines where a value is long. */
  readonly lines?: boolean
  /** Bytes as they are: no glance at times, locks, errors. */
  readonly raw?: boolean
  /** In front of every line but the first. */
  readonly indent?: string
}

/** Texts longer than this put their struct or array on several lines. */
const maxShortText = 7
const tab = '\t'

export function formatValue(value: Value, options: FormatOptions = {}): string {
  const raw = options.raw ?? false
  return new Writer(raw).write(
    value,
    { top: true, type: true, lines: options.lines ?? false },
    options.indent ?? '',
  )
}

interface Flags {
  /** The value itself, of no other one. */
  readonly top: boolean
  /** Its type is to be said. */
  readonly type: boolean
  readonly lines: boolean
}

class Writer {
  readonly #raw: boolean

  constructor(raw: boolean) {
    this.#raw = raw
  }

  write(value: Value, flags: Flags, indent: string): string {
    const { type } = value
    if (value.glance !== undefined && !this.#raw) {
      const bare =
        value.kind === 'int' || value.kind === 'slice' || value.kind === 'array' || value.kind === 'string'
      return bare && !flags.type
        ? value.glance
        : bare
          ? value.glance
          : `${flags.type ? type.name : ''}(${value.glance})`
    }
    switch (value.kind) {
      case 'unreadable':
        return value.optimizedOut ? `(${value.reason})` : `(unreadable ${value.reason})`
      case 'omitted':
        return value.address === undefined ? '...' : cast(type, value.address)
      case 'bool':
        return String(value.value)
      case 'int':
      case 'enum':
        if (type.kind === 'int' && type.char && !this.#raw) return `${value.value}${character(value.value)}`
        return value.constant === undefined ? String(value.value) : `${value.constant} (${value.value})`
      case 'float':
        return decimal(value.value, value.bits)
      case 'complex':
        return `(${decimal(value.real, value.bits / 2)} + ${decimal(value.imag, value.bits / 2)}i)`
      case 'string': {
        const { bytes, length } = value
        if (length === undefined) return `${quote(bytes)}...`
        return quote(bytes, length > bytes.length ? `...+${length - bytes.length} more` : '')
      }
      case 'unsafe.Pointer':
        return `unsafe.Pointer(0x${value.pointer.toString(16)})`
      case 'pointer':
        return this.#pointer(value, flags, indent)
      case 'array':
        return (flags.type ? `${type.name} ` : '') + this.#items(value.items, value.length, flags, indent)
      case 'slice': {
        const head = flags.type ? `${type.name} len: ${value.length}, cap: ${value.capacity}, ` : ''
        return head + (value.nil ? 'nil' : this.#items(value.items, value.length, flags, indent))
      }
      case 'struct':
      case 'union':
        return this.#struct(value, flags, indent)
      case 'map':
        return this.#map(value, flags, indent)
      case 'chan':
        return this.#chan(value, flags, indent)
      case 'interface':
        return this.#interface(value, flags, indent)
      case 'func':
        return this.#func(value, flags, indent)
    }
  }

  #pointer(value: Extract<Value, { kind: 'pointer' }>, flags: Flags, indent: string): string {
    const { target, pointer, type } = value
    if (pointer === 0n) {
      const elem = type.kind === 'pointer' ? type.elem()?.name : undefined
      return `*${flags.type && elem !== undefined ? `${elem} ` : ''}nil`
    }
    const address = `(${quoted(type)})(0x${pointer.toString(16)})`
    if (!target || target.kind === 'omitted') return address
    const head = flags.top && flags.lines ? `${address}\n` : ''
    return `${head}*${this.write(target, { ...flags, top: false }, indent)}`
  }

  #items(items: readonly Value[], length: number, flags: Flags, indent: string): string {
    const lines = flags.lines && items.length > 0 && this.#isLong(items[0]!, items)
    const texts = items.map(item => this.write(item, { top: false, type: false, lines }, indent + tab))
    if (items.length < length && items.length === 0) return '[...]'
    if (items.length < length) texts.push(`...+${length - items.length} more`)
    if (!lines) return `[${texts.join(',')}]`
    const all = items.length === length ? ',' : ''
    return `[${texts.map(text => `\n${indent}${tab}${text}`).join(',')}${all}\n${indent}]`
  }

  #struct(
    value:
      | Extract<Value, { kind: 'struct' | 'union' }>
      | { type: Type; fields: readonly NamedValue[]; length: number; address?: number; beside?: string },
    flags: Flags,
    indent: string,
  ): string {
    const { type, fields, length } = value
    if (fields.length === 0 && length > 0) return cast(type, value.address ?? 0)
    const head =
      value.beside !== undefined ? `${type.name}(${value.beside})` : flags.type ? `${type.name} ` : ''
    const lines = flags.lines && fields.some(field => this.#isLong(field.value, [field.value]))
    const texts = fields.map(
      field =>
        `${field.name && `${field.name}: `}${this.write(field.value, { top: false, type: true, lines }, indent + tab)}`,
    )
    const more = length > fields.length ? [`...+${length - fields.length} more`] : []
    if (!lines) return `${head}{${[texts.join(', '), ...more].join(',')}}`
    const rest = more.length > 0 ? `\n${indent}${tab}${more[0]}` : ''
    return `${head}{${texts.map(text => `\n${indent}${tab}${text},`).join('')}${rest}}`
  }

  #map(value: Extract<Value, { kind: 'map' }>, flags: Flags, indent: string): string {
    const { entries, length, damage } = value
    const head = flags.type ? `${value.type.name} ` : ''
    if (value.nil) return `${head}nil`
    const lines = flags.lines && entries.length > 0
    const before = lines ? `\n${indent}${tab}` : ''
    let text = ''
    for (const { key, value } of entries) {
      const keyText = this.write(key, { top: false, type: false, lines: false }, indent + tab)
      text += `${before}${keyText}: ${this.write(value, { top: false, type: false, lines }, indent + tab)}, `
    }
    const missing = length - entries.length
    if (missing > 0 && entries.length === 0 && damage === undefined) text += '...'
    else if (missing > 0 && damage === undefined) text += `${lines ? before : ','}...+${missing} more`
    if (damage !== undefined) text += `${before}(unreadable ${damage})`
    return `${head}[${text}${lines ? `\n${indent}` : ''}]`
  }

  #chan(value: Extract<Value, { kind: 'chan' }>, flags: Flags, indent: string): string {
    const { type, state, header } = value
    const name = type.name
    if (!state) return flags.lines && this.#raw ? `${flags.type ? `${name} ` : ''}{}` : `${name} nil`
    if (flags.lines && this.#raw && header?.kind === 'struct')
      return this.#struct({ ...header, type }, flags, indent)
    const text = `${name} ${state.length}/${state.capacity}`
    if (!flags.lines) return text
    const parts: string[] = []
    const nested = { top: false, type: false, lines: true }
    if (state.closed) parts.push('closed: true')
    if (state.items.length > 0)
      parts.push(`buffered: ${this.#items(state.items, state.length, nested, indent + tab)}`)
    const waiter = ({ goroutine, select, value }: LoadedWaiter): string =>
      `goroutine ${goroutine ?? '?'}${select ? ' in select' : ''}${value ? `: ${this.write(value, nested, indent + tab + tab)}` : ''}`
    for (const [who, list] of [
      ['receivers', state.receivers],
      ['senders', state.senders],
    ] as const)
      if (list.length > 0)
        parts.push(
          `${who}: [${list.map(one => `\n${indent}${tab}${tab}${waiter(one)},`).join('')}\n${indent}${tab}]`,
        )
    if (state.cut) parts.push('...')
    if (parts.length === 0) return text
    return `${text} {${parts.map(part => `\n${indent}${tab}${part},`).join('')}\n${indent}}`
  }

  #interface(value: Extract<Value, { kind: 'interface' }>, flags: Flags, indent: string): string {
    const { type, dynamic } = value
    if (!dynamic) return flags.type ? `${type.name} nil` : 'nil'
    const head = flags.type ? `${type.name}(${dynamic.type.name}) ` : ''
    if (dynamic.kind === 'omitted')
      return head + (dynamic.type.kind === 'pointer' ? '...' : `*${cast(type, value.address ?? 0)}`)
    if (dynamic.kind === 'pointer') {
      if (dynamic.pointer === 0n) return `${head}nil`
      // dlv gives the address of the interface's data word, which few want.
      if (!dynamic.target)
        return `${head}0x${(this.#raw ? BigInt(dynamic.address ?? 0) : dynamic.pointer).toString(16)}`
    }
    return head + this.write(dynamic, { ...flags, top: false, type: !flags.type }, indent)
  }

  #func(value: Extract<Value, { kind: 'func' }>, flags: Flags, indent: string): string {
    if (value.type.language === 'c') return codePointer(value, flags.top && flags.type)
    if (value.pc === 0) return 'nil'
    const name = value.function ?? `0x${value.pc.toString(16)}`
    if (!flags.lines || value.captured.length === 0) return name
    const lines = value.captured.map(({ name, value }) => {
      const text = this.write(value, { ...flags, top: false, type: false }, indent + tab)
      return `${indent}${tab}${name} ${value.type.name} = ${text}\n`
    })
    return `${name} {\n${lines.join('')}${indent}}`
  }

  /** Whether what is made of such values goes on several lines. */
  #isLong(first: Value, all: readonly Value[]): boolean {
    const { kind, byPointer } = innerKind(first)
    switch (kind) {
      case 'slice':
      case 'array':
      case 'struct':
      case 'union':
      case 'map':
      case 'interface':
        return first.glance === undefined || this.#raw
      case 'string':
        return (
          byPointer || all.some(value => value.kind === 'string' && textLength(value.bytes) > maxShortText)
        )
      default:
        return false
    }
  }
}

/** As gdb writes it: `(int (*)(int)) 0x401136 <twice>`. */
function codePointer({ type, pc, function: name }: Extract<Value, { kind: 'func' }>, typed: boolean): string {
  const where = `0x${pc.toString(16)}${name === undefined ? '' : ` <${name}>`}`
  return typed ? `${type.kind === 'func' ? `{${type.name}}` : `(${type.name})`} ${where}` : where
}

const textLength = (bytes: Uint8Array): number => bytes.length

/** What a value is behind its pointers, as far as they were followed. */
function innerKind(value: Value): { kind: string; byPointer: boolean } {
  let at: Value = value
  let byPointer = false
  for (let i = 0; i < 64; i++) {
    if (at.kind !== 'pointer') break
    byPointer = true
    if (!at.target)
      return { kind: (at.type.kind === 'pointer' && at.type.elem()?.kind) || 'pointer', byPointer }
    at = at.target
  }
  if (at.kind === 'string') return { kind: 'string', byPointer }
  return { kind: at.type.kind, byPointer }
}

/** `(*T)(0x…)`: how a value that is not shown is asked for. */
function cast(type: Type, address: number): string {
  const name = type.name.includes('/') ? `"${type.name}"` : type.name
  return `(*${name})(0x${address.toString(16)})`
}

function quoted(type: Type): string {
  return type.name.includes('/') ? `"${type.name}"` : type.name
}

function character(code: bigint): string {
  const bytes = Uint8Array.of(Number(BigInt.asUintN(8, code)))
  if (code === 0n) return " '\\0'"
  return ` '${quote(bytes).slice(1, -1).replace('\\"', '"').replace("'", "\\'")}'`
}
