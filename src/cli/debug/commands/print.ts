/** `print` and `whatis`: an expression's value, and its type. */
import type { ProgramType, ProgramValue } from '../../../engine/index.ts'
import { hex, valueJson } from '../../render/value-json.ts'
import type { Answer, DebugCommand } from '../command.ts'
import { formatted, splitFormat } from '../print-format.ts'
import { clean, cleanLines, type DebugState } from '../state.ts'

export const print: DebugCommand = {
  name: 'print',
  schema: 'gocore-value',
  aliases: ['p', 'inspect', 'output'],
  usage: 'print [%FORMAT] EXPRESSION',
  describe: 'print the value of an expression',
  details: [
    'FORMAT is that of one value: %x, %o, %b, %d, %c, %q, with # for the prefix.',
    'print/x is the same, as GDB has it.',
    'Expressions are described in gocore-expr(7).',
  ],
  complete: 'expression',
  repeats: true,
  run(state, rest) {
    const { format, expression } = splitFormat(rest)
    const variable = state.evaluate(expression)
    const loaded = named(state, state.load(variable))
    const value = format ? formatted(loaded, format) : loaded
    return {
      lines: () => valueLines(state, value, codePlace(state, expression, loaded)),
      data: () => ({ expression, value: valueJson(loaded) }),
    }
  },
}

/** A function of the program is called by its name. */
function named(state: DebugState, value: ProgramValue): ProgramValue {
  if (value.kind !== 'int' || value.type.name !== 'func') return value
  return { ...value, glance: state.code.functionAt(Number(value.value))?.name ?? hex(value.value) }
}

/** The value, with what is to be said of where it was found behind it. */
export function valueLines(state: DebugState, value: ProgramValue, instead?: string): string[] {
  const lines = instead === undefined ? state.text(value, { lines: true }) : [instead]
  const notes = (value.notes ?? []).map(note => `    (${clean(note)})`)
  return [...lines, ...notes]
}

/** `$pc` is an address with a name, as GDB shows it. */
function codePlace(state: DebugState, expression: string, value: ProgramValue): string | undefined {
  if (!/^\$(?:pc|rip)$/i.test(expression.trim()) || value.kind !== 'int') return undefined
  const addr = Number(value.value)
  const symbol = state.code.functionAt(addr)
  const offset = symbol && addr - symbol.start
  return symbol ? `${hex(addr)} <${clean(symbol.name)}${offset ? `+${offset}` : ''}>` : hex(addr)
}

const maxFields = 1000

export const whatis: DebugCommand = {
  name: 'whatis',
  schema: 'gocore-type',
  aliases: ['ptype'],
  usage: 'whatis EXPRESSION|TYPE',
  describe: 'print the type of an expression, or what a type consists of',
  complete: 'expression',
  run(state, rest): Answer {
    const type = state.debugger.typeOf(rest, state.position)
    const signature = signatureOf(state, rest, type)
    if (signature !== undefined)
      return {
        lines: () => [clean(signature)],
        data: () => ({ type: { ...typeJson(type), name: signature } }),
      }
    const isType = cleanName(rest) === cleanName(type.name) || type.name.endsWith(`/${rest.trim()}`)
    const dynamic = isType ? undefined : dynamicType(state, rest)
    return {
      lines: () => {
        if (isType) return describeType(type)
        return [clean(type.name), ...(dynamic === undefined ? [] : [`Concrete type: ${clean(dynamic)}`])]
      },
      data: () => ({ type: typeJson(type), ...(dynamic === undefined ? {} : { concreteType: dynamic }) }),
    }
  },
}

/** `func(b *main.box, n int) (int, error)` of a function of the program; undefined for all else. */
function signatureOf(state: DebugState, expression: string, type: ProgramType): string | undefined {
  if (type.kind !== 'int' || type.name !== 'func') return undefined
  const { value } = state.load(state.evaluate(expression)) as { value?: bigint }
  const func = state.debugger.program.debugFunctionAt(Number(value))?.func
  if (!func) return undefined
  const { variables } = func.scope()
  const params = variables.flatMap(variable =>
    variable.kind === 'parameter' && !variable.name.startsWith('.')
      ? [`${variable.name} ${variable.type().name}`.trim()]
      : [],
  )
  // The compiler calls results without a name ~r0, ~r1.
  const results = variables.flatMap(({ kind, name, type: of }) =>
    kind === 'result' ? [/^~r\d+$/.test(name) ? of().name : `${name} ${of().name}`] : [],
  )
  const [only] = results
  const named =
    results.length > 1 || variables.some(({ kind, name }) => kind === 'result' && !name.startsWith('~'))
  const behind = only === undefined ? '' : named ? ` (${results.join(', ')})` : ` ${only}`
  return `func(${params.join(', ')})${behind}`
}

const cleanName = (text: string): string => text.replaceAll(/[\s"]/g, '')

function dynamicType(state: DebugState, expression: string): string | undefined {
  const value = state.load(state.evaluate(expression))
  return value.kind === 'interface' && value.dynamic ? value.dynamic.type.name : undefined
}

/** A type as `whatis T` tells it: kind, size, fields with their offsets. */
function describeType(type: ProgramType): string[] {
  const lines = [`${type.kind} type, size: ${type.size} bytes`]
  if (type.kind === 'struct' || type.kind === 'union') {
    lines.push('Fields:')
    for (const field of type.fields().slice(0, maxFields))
      lines.push(`\t${field.name}\t${field.type().name}\toffset ${field.offset}`)
  } else if (type.kind === 'map') lines.push(`Key: ${type.key().name}`, `Element: ${type.elem().name}`)
  else if ('elem' in type) lines.push(`Element: ${type.elem()?.name ?? 'unknown'}`)
  if (type.descriptor !== undefined) lines.push(`Descriptor: ${hex(type.descriptor)}`)
  return lines.flatMap(cleanLines)
}

function typeJson(type: ProgramType): Record<string, unknown> {
  const fields =
    type.kind === 'struct' || type.kind === 'union' ? type.fields().slice(0, maxFields) : undefined
  return {
    name: type.name,
    kind: type.kind,
    size: type.size,
    language: type.language,
    ...(fields
      ? { fields: fields.map(({ name, type, offset }) => ({ name, type: type().name, offset })) }
      : {}),
    ...(type.kind === 'map' ? { key: type.key().name, elem: type.elem().name } : {}),
    ...(type.kind !== 'map' && 'elem' in type ? { elem: type.elem()?.name } : {}),
  }
}
