/**
 * Writes man/gocore-sink.1 and man/gocore-sink-VERB.1 from the table of verbs and the prose beside each verb
 * (src/cli/commands/VERB.man). With --check it writes nothing and ends with 1 when a page is out of date.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { toolVersion as version } from '../src/base/version.ts'
import { commandTable, everywhere, spellings, type VerbTable } from '../src/cli/completion/table.ts'
import { defaultSettings, settingHelp, settingKeys, settingName } from '../src/cli/debug/settings.ts'
import { commands } from '../src/cli/debug/table.ts'
import type { Option } from '../src/cli/define.ts'
import { Exit, exitMeanings } from '../src/cli/render/exit.ts'

/** Of the manual, not of the run: the pages must come out the same every time. */
const date = '2026-11-23'
const root = join(import.meta.dirname, '..')
const prose = (name: string): string =>
  readFileSync(join(root, 'src/cli/commands', `${name}.man`), 'utf8')
    .trimEnd()
    .replace('@COMMANDS@', () => debugCommands())
    .replace('@SETTINGS@', () => debugSettings())

/** Plain text as roff: hyphens that are typed, and no line taken for a request. */
export const roff = (text: string): string =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/gm, '\\&')

/** The debugger's commands, from its own table. */
const debugCommands = (): string =>
  commands()
    .flatMap(({ usage, describe, details = [], aliases = [] }) => [
      '.TP',
      bold(usage),
      sentence(describe),
      ...details.flatMap(line => ['.br', roff(line)]),
      ...(aliases.length > 0 ? ['.br', `Also: ${aliases.map(bold).join(', ')}.`] : []),
    ])
    .join('\n')

const debugSettings = (): string =>
  settingKeys
    .flatMap(key => [
      '.TP',
      bold(settingName(key)),
      `${roff(capital(settingHelp[key]))}; ${roff(String(defaultSettings[key]))} at first.`,
    ])
    .join('\n')

const bold = (text: string): string => `\\fB${roff(text)}\\fR`
const italic = (text: string): string => `\\fI${roff(text)}\\fR`
/** A description as a sentence. */
const sentence = (text: string): string => `${roff(capital(text))}${text.endsWith('?') ? '' : '.'}`
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

export function pages(table: readonly VerbTable[]): Map<string, string> {
  const files = new Map<string, string>()
  files.set('gocore-sink.1', overviewPage(table))
  for (const verb of table) files.set(`gocore-sink-${verb.name}.1`, verbPage(verb, table))
  return files
}

function verbPage(verb: VerbTable, table: readonly VerbTable[]): string {
  const name = `gocore-sink-${verb.name}`
  const { description, more } = split(prose(verb.name))
  return `${[
    header(name),
    '.SH NAME',
    `${roff(name)} \\- ${roff(verb.verb.describe)}`,
    '.SH SYNOPSIS',
    synopsis(verb),
    '.SH DESCRIPTION',
    description,
    ...alsoCalled(verb),
    ...positionals(verb),
    ...(verb.options.length > 0 ? ['.SH OPTIONS', ...verb.options.map(option)] : []),
    '.PP',
    'The options that every verb takes are in',
    '.BR gocore\\-sink (1).',
    ...(more === '' ? [] : [more]),
    ...examples(verb),
    '.SH EXIT STATUS',
    ...exitStatus(),
    '.SH SEE ALSO',
    seeAlso(verb, table),
  ].join('\n')}\n`
}

const header = (name: string): string =>
  `.\\" Made by scripts/gen-man.ts from src/cli; edit there.\n.TH ${roff(name.toUpperCase())} 1 ${date} "gocore-sink ${version}" "gocore-sink manual"`

function synopsis({ name, verb, options }: VerbTable): string {
  const words = verb.command
    .split(' ')
    .slice(1)
    .map(word => {
      const label = italic(word.replace(/[[\]<>.]/g, '').toUpperCase())
      const dots = word.includes('..') ? ' ...' : ''
      return word.startsWith('[') ? `[${label}${dots}]` : `${label}${dots}`
    })
  const dashes = name === 'run' ? ['\\-\\-'] : []
  return [
    `.B gocore\\-sink ${roff(name)}`,
    [options.length > 0 ? '[\\fIOPTION\\fR ...]' : '', ...dashes, ...words].filter(Boolean).join(' '),
  ]
    .filter(Boolean)
    .join('\n')
}

function alsoCalled({ verb: { aliases } }: VerbTable): string[] {
  return aliases ? ['.PP', `Also called ${aliases.map(bold).join(', ')}.`] : []
}

function positionals({ positionals: list }: VerbTable): string[] {
  return list.flatMap(([name, { describe, choices }]) => [
    '.TP',
    italic(name.toUpperCase()),
    sentence(choices ? `${describe}: ${choices.join(', ')}` : describe),
  ])
}

function option(item: readonly [string, Option]): string {
  const [, { describe, value, several }] = item
  const names = spellings(item).map(bold).join(', ')
  const tail = several ? ' May be given several times.' : ''
  return `.TP\n${names}${value ? ` ${italic(value)}` : ''}\n${sentence(describe)}${tail}`
}

function examples({ spec }: VerbTable): string[] {
  if (!spec.examples || spec.examples.length === 0) return []
  return [
    '.SH EXAMPLES',
    ...spec.examples.flatMap(([command, what]) => ['.TP', bold(command), sentence(what)]),
  ]
}

function exitStatus(): string[] {
  return Object.entries(exitMeanings).flatMap(([name, meaning]) => [
    '.TP',
    bold(String(Exit[name as keyof typeof Exit])),
    roff(meaning),
  ])
}

/** The overview, the verbs of the same group, and the formats. */
function seeAlso(verb: VerbTable, table: readonly VerbTable[]): string {
  const near = table.filter(other => other.verb.group === verb.verb.group && other !== verb)
  const refs = [
    'gocore\\-sink (1)',
    ...near.map(other => `gocore\\-sink\\-${roff(other.name)} (1)`),
    'gocore\\-report (5)',
    'gocore\\-sink (7)',
  ]
  return refs.map((ref, i) => `.BR ${ref}${i < refs.length - 1 ? ',' : ''}`).join('\n')
}

function overviewPage(table: readonly VerbTable[]): string {
  const { description, more } = split(readFileSync(join(root, 'src/cli/overview.man'), 'utf8').trimEnd())
  const groups = (['Look', 'Debug', 'Keep', 'Set up'] as const).flatMap(group => [
    `.SS ${group}`,
    ...table
      .filter(({ verb }) => verb.group === group)
      .flatMap(({ name, verb }) => [
        '.TP',
        `.BR gocore\\-sink\\-${roff(name)} (1)`,
        `${roff(capital(verb.describe))}.`,
      ]),
  ])
  return `${[
    header('gocore-sink'),
    '.SH NAME',
    'gocore\\-sink \\- records the crashes of Go programs and says why they died',
    '.SH SYNOPSIS',
    '.B gocore\\-sink',
    '[\\fIOPTION\\fR ...] \\fIVERB\\fR [\\fIARGUMENT\\fR ...]',
    '.br',
    '.B gocore\\-sink \\fIVERB\\fR \\-\\-help',
    '.SH DESCRIPTION',
    description,
    '.SH VERBS',
    ...groups,
    '.SH OPTIONS',
    'Every verb takes these:',
    ...everywhere.map(option),
    '.TP',
    bold('--version'),
    'Show the version.',
    '.SH EXIT STATUS',
    ...exitStatus(),
    '.PP',
    '.BR gocore\\-sink\\-run (1)',
    'ends as the program did that it ran.',
    more,
  ].join('\n')}\n`
}

/** Prose up to its first section, and its further sections. */
function split(text: string): { description: string; more: string } {
  const at = text.search(/^\.SH /m)
  return at < 0
    ? { description: text, more: '' }
    : { description: text.slice(0, at).trimEnd(), more: text.slice(at) }
}

if (import.meta.main) {
  const check = process.argv.includes('--check')
  const made = pages(await commandTable())
  const folder = join(root, 'man')
  const stale: string[] = []
  for (const [name, text] of made) {
    const path = join(folder, name)
    if (existsSync(path) && readFileSync(path, 'utf8') === text) continue
    stale.push(name)
    if (!check) writeFileSync(path, text)
  }
  const extra = readdirSync(folder).filter(name => /^gocore-sink-.*\.1$/.test(name) && !made.has(name))
  if (check && stale.length + extra.length > 0) {
    console.error(`out of date: ${[...stale, ...extra].join(' ')}; run node scripts/gen-man.ts`)
    process.exitCode = 1
  }
}
