/** `print %x EXPRESSION` of Delve and `print/x` of GDB: integers in another base, wherever they are in a value. */
import { UsageError } from '../../base/errors.ts'
import type { ProgramValue } from '../../engine/index.ts'

export interface PrintFormat {
  readonly letter: string
  /** `%#x`: with the prefix of its base. */
  readonly prefix: boolean
}

const known = 'xXodbcqUtzfsvT'

/** `%x`, `%#x` or `/x` in front of an expression, and the expression. Throws UsageError. */
export function splitFormat(text: string): { format: PrintFormat | undefined; expression: string } {
  const match = /^(?:%(#?)(?:\d*\.?\d*)([a-zA-Z])(?=\s)|\/(\d*)([a-z]+)(?=\s|$))\s*/.exec(text)
  if (!match) return { format: undefined, expression: text }
  const letter = match[2] ?? match[4]!.slice(-1)
  const expression = text.slice(match[0].length)
  if (!known.includes(letter))
    throw new UsageError(`There is no format ${match[0].trim()}: x, o, d, b, t, c, z, f and s are known.`)
  // GDB's numbers have their prefix.
  return {
    format: { letter: letter === 'z' ? 'x' : letter, prefix: match[1] === '#' || match[2] === undefined },
    expression,
  }
}

/** The value with its integers written in that format. */
export function formatted(value: ProgramValue, format: PrintFormat): ProgramValue {
  const inner = (of: ProgramValue): ProgramValue => formatted(of, format)
  switch (value.kind) {
    case 'int':
    case 'enum':
      return { ...value, glance: integer(value, format) }
    case 'string':
      return 'xX'.includes(format.letter)
        ? { ...value, glance: `${format.prefix ? '0x' : ''}${Buffer.from(value.bytes).toString('hex')}` }
        : value
    case 'pointer':
      return value.target ? { ...value, target: inner(value.target) } : value
    case 'array':
    case 'slice':
      return { ...value, items: value.items.map(inner) }
    case 'struct':
    case 'union':
      return { ...value, fields: value.fields.map(({ name, value }) => ({ name, value: inner(value) })) }
    case 'map':
      return {
        ...value,
        entries: value.entries.map(({ key, value }) => ({ key: inner(key), value: inner(value) })),
      }
    case 'interface':
      return value.dynamic ? { ...value, dynamic: inner(value.dynamic) } : value
    default:
      return value
  }
}

function integer(
  { value, type }: Extract<ProgramValue, { kind: 'int' | 'enum' }>,
  format: PrintFormat,
): string {
  const inBase = (base: number, prefix: string): string => {
    // As machines have it: GDB shows the bits of a negative number, fmt its sign.
    const bits = format.prefix && value < 0n ? BigInt.asUintN(type.size * 8, value) : value
    const sign = bits < 0n ? '-' : ''
    return `${sign}${format.prefix ? prefix : ''}${(bits < 0n ? -bits : bits).toString(base)}`
  }
  switch (format.letter) {
    case 'x':
      return inBase(16, '0x')
    case 'X':
      return inBase(16, '0x').toUpperCase().replace('0X', '0X')
    case 'o':
      return inBase(8, '0')
    case 'b':
    case 't':
      return inBase(2, format.letter === 'b' ? '0b' : '')
    case 'c':
    case 'q': {
      const sound = value >= 0n && value <= 0x10ffffn
      return sound
        ? `${format.letter === 'c' && format.prefix ? `${value} ` : ''}'${String.fromCodePoint(Number(value))}'`
        : String(value)
    }
    case 'U':
      return `U+${value.toString(16).toUpperCase().padStart(4, '0')}`
    default:
      return String(value)
  }
}
