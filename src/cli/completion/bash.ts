/** The completion script for bash (bash(1), "Programmable Completion"); it needs no helper library. */
import { askForIds } from './ids.ts'
import { everywhere, kindOf, namesOf, spellings, type VerbTable, wordsFor } from './table.ts'

export function bashCompletion(table: readonly VerbTable[]): string {
  return `# bash completion for gocore-sink, made by "gocore-sink completion bash".

_gocore_sink_ids() {
  local i; local -a where=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
    --archive | --config) where+=("\${COMP_WORDS[i]}" "\${COMP_WORDS[i + 1]}") ;;
    esac
  done
  "\${COMP_WORDS[0]}" "\${where[@]}" ${askForIds}
}

_gocore_sink_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen "$1" -- "$2")
}

_gocore_sink() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} verb='' options='' kind='' words='' place=0 i
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case \${COMP_WORDS[i]} in
    ${valued(table).join(' | ')}) ((i++)) ;;
    -*) ;;
    *) if [[ -z $verb ]]; then verb=\${COMP_WORDS[i]}; else ((place++)); fi ;;
    esac
  done
  case $verb in
${renames(table)}
  esac
  case $verb:$prev in
${values(table)}
  esac
  if [[ -z $kind ]]; then
    case $verb in
    '')
      options='${everywhere.flatMap(spellings).concat('--version').join(' ')}'
      kind=words words='${table.map(({ name }) => name).join(' ')}'
      ;;
${table.map(verbCase).join('\n')}
    esac
    if [[ $cur == -* ]]; then
      mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
      return
    fi
  fi
  case $kind in
  words) mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur") ;;
  file) _gocore_sink_files -f "$cur" ;;
  directory) _gocore_sink_files -d "$cur" ;;
  command) _gocore_sink_files -c "$cur"; _gocore_sink_files -f "$cur" ;;
  dump)
    [[ $cur == */* ]] || mapfile -t COMPREPLY < <(compgen -W "$(_gocore_sink_ids)" -- "$cur")
    _gocore_sink_files -f "$cur"
    ;;
  esac
}

complete -F _gocore_sink gocore-sink
`
}

/** Whatever a verb is called, it is the same one from here on. */
function renames(table: readonly VerbTable[]): string {
  return table
    .filter(({ verb }) => verb.aliases)
    .map(item => `  ${namesOf(item).slice(1).join(' | ')}) verb=${item.name} ;;`)
    .join('\n')
}

/** Options that take the next word. */
function valued(table: readonly VerbTable[]): string[] {
  const all = [...everywhere, ...table.flatMap(({ options }) => options)]
  return [...new Set(all.filter(([, option]) => option.type === 'string').flatMap(spellings))].sort()
}

/** One case per verb and option: what its value is. */
function values(table: readonly VerbTable[]): string {
  const lines: string[] = []
  for (const { name, options } of [{ name: '*', options: everywhere }, ...table])
    for (const item of options) {
      if (item[1].type !== 'string') continue
      const patterns = spellings(item).map(spelling => `${name}:${spelling}`)
      const words = item[1].choices ? ` words='${item[1].choices.join(' ')}'` : ''
      lines.push(`  ${patterns.join(' | ')}) kind=${kindOf(item[1])}${words} ;;`)
    }
  return lines.join('\n')
}

function verbCase({ name, positionals, options }: VerbTable): string {
  const all = [...options, ...everywhere].flatMap(spellings)
  const kinds = positionals.map(([, positional], i) => {
    const pattern = positional.several ? '*' : String(i)
    const offered = wordsFor(positional)
    const words = offered ? ` words='${offered.join(' ')}'` : ''
    return `      ${pattern}) kind=${kindOf(positional)}${words} ;;`
  })
  const places = kinds.length > 0 ? `\n      case $place in\n${kinds.join('\n')}\n      esac` : ''
  return `    ${name})\n      options='${all.join(' ')}'${places}\n      ;;`
}
