/** The completion script for fish (fish-shell, `complete`). */
import type { Option } from '../define.ts'
import { askForIds } from './ids.ts'
import { everywhere, kindOf, namesOf, type VerbTable, wordsFor } from './table.ts'

export function fishCompletion(table: readonly VerbTable[]): string {
  const lines = [
    '# fish completion for gocore-sink, made by "gocore-sink completion fish".',
    '',
    'function __gocore_sink_dumps',
    '    set -l words (commandline -opc)',
    '    set -l where',
    '    for i in (seq 2 (math (count $words) - 1))',
    '        contains -- $words[$i] --archive --config; and set -a where $words[$i] $words[(math $i + 1)]',
    '    end',
    `    $words[1] $where ${askForIds}`,
    'end',
    '',
    'complete -c gocore-sink -f',
    ...everywhere.map(item => optionLine(item, '')),
    `complete -c gocore-sink -n __fish_use_subcommand -l version -d ${quote('show the version')}`,
  ]
  for (const item of table) {
    const { name, verb, options, positionals } = item
    lines.push('', `complete -c gocore-sink -n __fish_use_subcommand -a ${name} -d ${quote(verb.describe)}`)
    const seen = quote(`__fish_seen_subcommand_from ${namesOf(item).join(' ')}`)
    for (const option of options) lines.push(optionLine(option, ` -n ${seen}`))
    for (const [label, positional] of positionals) {
      const what = `complete -c gocore-sink -n ${seen}`
      const kind = kindOf(positional)
      if (kind === 'dump') lines.push(`${what} -k -F -a '(__gocore_sink_dumps)' -d dump`)
      else if (kind === 'file') lines.push(`${what} -F`)
      else if (kind === 'command') lines.push(`${what} -F -a '(__fish_complete_command)'`)
      else if (kind === 'words')
        lines.push(`${what} -a ${quote(wordsFor(positional)!.join(' '))} -d ${label}`)
    }
  }
  return `${lines.join('\n')}\n`
}

function optionLine([name, option]: readonly [string, Option], condition: string): string {
  const alias = option.alias ? ` -s ${option.alias}` : ''
  return `complete -c gocore-sink${condition} -l ${name}${alias}${valuePart(option)} -d ${quote(option.describe)}`
}

function valuePart(option: Option): string {
  if (option.type !== 'string') return ''
  if (option.choices) return ` -x -a ${quote(option.choices.join(' '))}`
  if (option.complete === 'file') return ' -r -F'
  if (option.complete === 'directory') return " -x -a '(__fish_complete_directories)'"
  return ' -x'
}

const quote = (text: string): string => `'${text.replace(/[\\']/g, '\\$&')}'`
