/** The completion script for zsh (zshcompsys(1), `_arguments`). */
import type { Option, Positional } from '../define.ts'
import { askForIds } from './ids.ts'
import { everywhere, type Kind, kindOf, namesOf, spellings, type VerbTable, wordsFor } from './table.ts'

export function zshCompletion(table: readonly VerbTable[]): string {
  return `#compdef gocore-sink
# zsh completion for gocore-sink, made by "gocore-sink completion zsh".

_gocore_sink_dumps() {
  local -a where ids
  local i
  for ((i = 1; i < $#_gocore_sink_line; i++)); do
    [[ $_gocore_sink_line[i] == (--archive|--config) ]] &&
      where+=("$_gocore_sink_line[i]" "$_gocore_sink_line[i+1]")
  done
  ids=(\${(f)"$("$_gocore_sink_line[1]" $where ${askForIds})"})
  [[ $PREFIX == */* ]] || compadd -X 'dumps, latest first' -V dumps -a ids
  _files
}

_gocore_sink() {
  local curcontext="$curcontext" state line
  typeset -A opt_args
  # _arguments narrows $words to what follows the verb.
  local -a _gocore_sink_line=("\${words[@]}")
  local -a everywhere verbs
  everywhere=(
${everywhere.map(item => `    ${argument(item)}`).join('\n')}
  )
  verbs=(
${table.map(({ name, verb }) => `    ${quote(`${name.replaceAll(':', '\\:')}:${verb.describe}`)}`).join('\n')}
  )
  _arguments -C -S $everywhere '--version[show the version]' '1: :->verb' '*:: :->rest' && return
  case $state in
  verb) _describe -t verbs verb verbs ;;
  rest)
    case $words[1] in
${table.map(verbCase).join('\n')}
    esac
    ;;
  esac
}

if [[ $funcstack[1] == _gocore_sink ]]; then
  _gocore_sink "$@"
else
  compdef _gocore_sink gocore-sink
fi
`
}

function verbCase(item: VerbTable): string {
  const { positionals, options } = item
  const lines = [
    '_arguments -S $everywhere',
    ...options.map(argument),
    ...positionals.map(([label, positional], i) => place(label, positional, i + 1)),
  ]
  return `    ${namesOf(item).join(' | ')})\n      ${lines.join(' \\\n        ')}\n      ;;`
}

function argument(item: readonly [string, Option]): string {
  const [, option] = item
  const names = spellings(item)
  const note = `[${option.describe.replace(/[[\]\\]/g, '\\$&')}]`
  const value =
    option.type === 'string' ? `:${(option.value ?? 'value').replaceAll(':', '\\:')}:${action(option)}` : ''
  const repeat = option.several ? '*' : ''
  if (names.length === 1) return quote(`${repeat}${names[0]}${note}${value}`)
  const exclusive = option.several ? '' : quote(`(${names.join(' ')})`)
  return `${exclusive}${repeat}{${names.join(',')}}${quote(note + value)}`
}

function place(label: string, positional: Positional, number: number): string {
  const what = label.replaceAll(':', '\\:')
  return quote(`${positional.several ? '*' : number}:${what}:${action(positional)}`)
}

const actions: Record<Kind, string> = {
  dump: '_gocore_sink_dumps',
  file: '_files',
  directory: '_files -/',
  command: '_command_names -e',
  words: '',
  nothing: ' ',
}

function action(item: Option | Positional): string {
  const kind = kindOf(item)
  return kind === 'words' ? `(${wordsFor(item)!.join(' ')})` : actions[kind]
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
