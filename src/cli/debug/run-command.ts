/** A line to a command: its name or any beginning of one that is clear, GDB's `x/4g` and `info …` included. */
import { UsageError } from '../../base/errors.ts'
import { type Answer, type DebugCommand, silence, splitFirst } from './command.ts'
import type { DebugState } from './state.ts'
import { commands } from './table.ts'

/** Throws SinkError for what is no command and what the command refuses. */
export function runCommand(state: DebugState, line: string): Answer | Promise<Answer> {
  const text = line.trim()
  if (text === '' || text.startsWith('#')) return silence
  const { command, rest } = parseLine(state, text)
  const answer = state.guard(() => command.run(state, rest))
  return answer instanceof Promise ? answer.then(found => named(found, command)) : named(answer, command)
}

/** With the name of what its data is. */
function named(answer: Answer, { schema }: DebugCommand): Answer {
  return schema === undefined || answer.schema !== undefined ? answer : { ...answer, schema }
}

export function parseLine(state: DebugState, text: string): { command: DebugCommand; rest: string } {
  const [first, after] = splitFirst(text)
  // GDB hangs formats on the name: `p/x n`, `x/4gx p`, `disassemble /s`.
  const slash = /^([a-z]+)(\/\w*)$/.exec(first)
  const name = slash?.[1] ?? first
  const rest = slash ? `${slash[2]} ${after}`.trim() : after
  const alias = state.aliases.get(name)
  return { command: findCommand(alias ?? name), rest }
}

/** By name, by another name, or by a beginning that only one has. Throws UsageError. */
export function findCommand(name: string): DebugCommand {
  const exact = commands().find(command => command.name === name || command.aliases?.includes(name))
  if (exact) return exact
  const begun = commands().filter(command => command.name.startsWith(name))
  if (begun.length === 1 && name.length >= 2) return begun[0]!
  const live = liveCommands.has(name)
    ? ' The program is dead: it cannot go on, and nothing in it can be changed.'
    : ''
  const near = begun.length > 1 ? ` It may be ${begun.map(command => command.name).join(', ')}.` : ''
  throw new UsageError(
    `There is no command ${JSON.stringify(name)}.${live}${near}${live || near ? '' : ' help lists those that there are.'}`,
  )
}

/** What Delve and GDB have for programs that run. */
const liveCommands: ReadonlySet<string> = new Set(
  [
    'break b tbreak breakpoints bp clear clearall condition cond on toggle trace t watch continue c next n step s',
    'stepout so step-instruction si stepi next-instruction ni nexti finish until run r restart start call set rev',
    'rewind rw rebuild check checkpoint checkpoints clear-checkpoint jump j target kill detach attach dump edit ed',
  ].flatMap(line => line.split(' ')),
)
