/** What `gocore-sink` prints without a verb: the verbs by what one wants to do. */
import { Exit, exitMeanings } from './render/exit.ts'
import { lookOf, palette } from './render/style.ts'
import { wrap } from './render/text.ts'
import { nameOf, verbs } from './verbs.ts'

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
  for (const group of ['Look', 'Keep', 'Set up'] as const) {
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
