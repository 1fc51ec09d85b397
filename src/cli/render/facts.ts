/** Labelled facts in a block: `Program   api v1.4.2`. Values may be several lines and wrap to the terminal. */
import { type Look, palette } from './style.ts'
import { columns, padEnd, wrap } from './text.ts'

export type Fact = readonly [label: string, value: string | readonly string[] | undefined]

const leastRoom = 20

/** The lines of a block; facts without a value are left out. */
export function* facts(
  list: readonly Fact[],
  look: Look,
  options: { indent?: number } = {},
): Generator<string> {
  const { dim } = palette(look)
  const present = list.filter(([, value]) => value !== undefined && value !== '' && value.length > 0)
  const indent = ' '.repeat(options.indent ?? 0)
  const label = Math.max(0, ...present.map(([name]) => columns(name))) + 2
  // Beside such labels there would be a word a line.
  if (look.width - label - indent.length < leastRoom) return yield* below(present, look, indent)
  for (const [name, value] of present) {
    const lines = (typeof value === 'string' ? [value] : value!).flatMap(line =>
      wrapped(line, look.width - label - indent.length),
    )
    for (const [i, line] of lines.entries())
      yield `${indent}${i === 0 ? dim(padEnd(name, label)) : ' '.repeat(label)}${line}`.trimEnd()
  }
}

const wrapped = (line: string, width: number): string[] =>
  columns(line) <= width ? [line] : wrap(line, width)

/** Each label on a line of its own, and its value below it. */
function* below(list: readonly Fact[], look: Look, indent: string): Generator<string> {
  const deeper = `${indent}    `
  for (const [name, value] of list) {
    yield `${indent}${palette(look).dim(name)}`
    for (const line of typeof value === 'string' ? [value] : value!)
      for (const part of wrapped(line, look.width - deeper.length)) yield `${deeper}${part}`.trimEnd()
  }
}
