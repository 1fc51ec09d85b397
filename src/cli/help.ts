/** What `gocore-sink` prints without a verb: the verbs by what one wants to do. */
import type { Option } from './define.ts'
import { globalOptions } from './options.ts'
import { Exit, exitMeanings } from './render/exit.ts'
import { facts } from './render/facts.ts'
import { type Look, lookOf, palette, widest } from './render/style.ts'
import { wrap } from './render/text.ts'
import { nameOf, type Verb, verbs } from './verbs.ts'

const start = [
  ['gocore-sink ls --since 1h', 'what crashed in the last hour'],
  ['gocore-sink show', 'why the latest one died'],
  ['gocore-sink show ./core --exe ./server', 'the same for any core file'],
  ['gocore-sink doctor', 'why no dumps arrive'],
] as const

export function overview(stream: NodeJS.WriteStream): string {
  const look = lookOf(stream)
  const { bold, dim } = palette(look)
  const lines = ['Records the crashes of Go programs and says why they died.', '']
  for (const [command, what] of start) lines.push(`  ${bold(command.padEnd(40))} ${dim(what)}`)
  const width = Math.max(...verbs.map(verb => nameOf(verb).length)) + 2
  const room = Math.min(look.width, 100) - width - 2
  for (const group of ['Look', 'Debug', 'Keep', 'Set up'] as const) {
    lines.push('', bold(group))
    for (const verb of verbs.filter(v => v.group === group)) {
      const [first, ...rest] = wrap(verb.describe, room)
      lines.push(
        `  ${nameOf(verb).padEnd(width)}${first}`,
        ...rest.map(line => `  ${' '.repeat(width)}${line}`),
      )
    }
  }
  lines.push('', bold('Exit status'))
  for (const [name, meaning] of Object.entries(exitMeanings)) {
    const [first, ...rest] = wrap(meaning, Math.min(look.width, 100) - 5)
    lines.push(`  ${Exit[name as keyof typeof Exit]}  ${first}`, ...rest.map(line => `     ${line}`))
  }
  lines.push('', 'gocore-sink VERB --help explains one verb; man gocore-sink has it all.', '')
  return lines.join('\n')
}

/** `gocore-sink VERB --help`: what a verb takes, from its own declaration. */
export async function verbHelp(verb: Verb, terminal: Look): Promise<string> {
  const { spec } = (await verb.load()).builder
  const look = { ...terminal, width: Math.min(terminal.width, widest) }
  const { bold } = palette(look)
  const block = (title: string, list: [string, string][]): string[] =>
    list.length === 0 ? [] : ['', bold(title), ...facts(list, look, { indent: 2 })]
  const options = Object.entries(spec.options ?? {})
  const groups = new Set([undefined, ...options.map(([, { group }]) => group)])
  const words = verb.command.replace(/(?<=\.\.)(?=[\]>])/, '.').replace(/^run /, 'run -- ')
  return [
    `${bold(`gocore-sink ${words}`)}${options.length > 0 ? ' [options]' : ''}`,
    '',
    ...wrap(`${verb.describe.charAt(0).toUpperCase()}${verb.describe.slice(1)}.`, look.width),
    ...(verb.aliases ? [`Also: ${verb.aliases.join(', ')}.`] : []),
    ...block(
      'Arguments',
      Object.entries(spec.positionals ?? {}).map(([name, { describe, choices }]) => [
        name,
        choices ? `${describe}: ${choices.join(', ')}` : describe,
      ]),
    ),
    ...[...groups].flatMap(group =>
      block(
        group ?? 'Options',
        options
          .filter(([, option]) => option.group === group)
          .map(([name, option]) => optionLine(name, option)),
      ),
    ),
    ...block('Everywhere', [
      ...Object.entries(globalOptions).map(([name, option]) => optionLine(name, option)),
      ['-h, --help', 'show this help'],
    ]),
    ...(spec.examples ? ['', bold('Examples'), ...examples(spec.examples, look.width)] : []),
    '',
    `man gocore-sink-${nameOf(verb)} tells more.`,
    '',
  ].join('\n')
}

function optionLine(name: string, { alias, value, describe }: Option): [string, string] {
  return [`${alias ? `-${alias}, ` : '    '}--${name}${value ? ` ${value}` : ''}`, describe]
}

function examples(list: readonly (readonly [string, string])[], width: number): string[] {
  const longest = Math.max(...list.map(([command]) => command.length))
  return list.flatMap(([command, what]) =>
    longest + what.length + 6 <= width
      ? [`  ${command.padEnd(longest)}  ${what}`]
      : [`  ${command}`, `      ${what}`],
  )
}
