/** Values as Go source would write them, near enough for a sentence: `main.config{Name: "x", Limits: []int{1, 2}}`. */
import type { Value } from './value.ts'

const maxText = 400

export function formatValue(value: Value): string {
  const text = format(value, false)
  return text.length > maxText ? `${text.slice(0, maxText)}…` : text
}

/** `typed`: the type shows already from where the value stands, so literals go without it. */
function format(value: Value, typed: boolean): string {
  switch (value.kind) {
    case 'bool':
      return named(value.type, 'bool', String(value.value), typed)
    case 'int':
      return named(value.type, 'int', String(value.value), typed)
    case 'float':
      return named(value.type, 'float64', String(value.value), typed)
    case 'complex':
      return named(
        value.type,
        'complex128',
        `(${value.real}${value.imag < 0 ? '' : '+'}${value.imag}i)`,
        typed,
      )
    case 'string':
      return named(value.type, 'string', quote(value.text, value.length), typed)
    case 'pointer':
      if (value.address === 0) return typed ? 'nil' : `(${value.type})(nil)`
      if (value.target && value.target.kind !== 'omitted') return `&${format(value.target, false)}`
      return `(${value.type})(0x${value.address.toString(16)})`
    case 'struct': {
      const fields = value.fields.map(field => `${field.name}: ${format(field.value, true)}`)
      if (value.more > 0) fields.push('…')
      return `${value.type}{${fields.join(', ')}}`
    }
    case 'list': {
      if (value.nil) return typed ? 'nil' : `${value.type}(nil)`
      const items = value.items.map(item => format(item, true))
      if (value.length > items.length) items.push(`… ${value.length - items.length} more`)
      return `${value.type}{${items.join(', ')}}`
    }
    case 'interface':
      return value.dynamic ? format(value.dynamic, false) : 'nil'
    case 'reference':
      return value.address === 0 ? 'nil' : `(${value.type})(0x${value.address.toString(16)})`
    case 'unreadable':
      return `(unreadable: ${value.reason})`
    case 'omitted':
      return '…'
  }
}

function named(type: string, plain: string, text: string, typed: boolean): string {
  return typed || type === plain ? text : `${type}(${text})`
}

function quote(text: string, length: number): string {
  const quoted = JSON.stringify(text)
  return length > new TextEncoder().encode(text).length ? `${quoted.slice(0, -1)}…"` : quoted
}
