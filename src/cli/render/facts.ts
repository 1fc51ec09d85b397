/** Labelled facts in a block: `Program   api v1.4.2`. Values may be several lines and wrap to the terminal. */
import { type Look, palette } from './style.ts'
import { columns, padEnd, wrap } from './text.ts'

export type Fact = readonly [label: string, value: string | readonly string[] | undefined]

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
  for (const [name, value] of present) {
    const lines = (typeof value === 'string' ? [value] : value!).flatMap(line =>
      wrapped(line, look.width - label - indent.length),
    )
    for (const [i, line] of lines.entries())
      yield `${indent}${i === 0 ? dim(padEnd(name, label)) : ' '.repeat(label)}${line}`.trimEnd()
  }
}

function wrapped(line: string, width: number): string[] {
  if (line === '' || columns(line) <= width) return [line]
  return wrap(line, Math.max(20, width))
}
