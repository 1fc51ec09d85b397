/** `locals`, `args` and `vars`: variables of a frame, and those of packages. */
import { type ProgramVariable, shortLimits } from '../../../engine/index.ts'
import { parsePattern } from '../../pattern.ts'
import { valueJson } from '../../render/value-json.ts'
import type { Answer, DebugCommand } from '../command.ts'
import { clean, type DebugState } from '../state.ts'

const details = ['With -v, values are shown as print shows them, not in short.']

export const locals: DebugCommand = {
  name: 'locals',
  schema: 'gocore-variables',
  usage: 'locals [-v] [REGEX]',
  describe: 'print the local variables of the frame',
  details: [...details, 'A variable that another one of its name hides stands in parentheses.'],
  run: (state, rest) => list(state, rest, 'locals', variablesOf(state).locals()),
}

export const args: DebugCommand = {
  name: 'args',
  schema: 'gocore-variables',
  usage: 'args [-v] [REGEX]',
  describe: "print the arguments and results of the frame's function",
  details,
  run: (state, rest) => list(state, rest, 'args', variablesOf(state).arguments()),
}

export const vars: DebugCommand = {
  name: 'vars',
  schema: 'gocore-variables',
  usage: 'vars [-v] [REGEX]',
  describe: 'print package variables, and global ones of C',
  details,
  run(state, rest) {
    const { filter } = options(rest)
    const { debugger: engine } = state
    // Values are read one by one while they are printed: there may be ten thousand.
    const chosen = engine.program.globalNames().filter(name => filter.test(name))
    return list(
      state,
      rest,
      'vars',
      lazily(chosen, name => engine.global(name)),
    )
  },
}

function* lazily(
  names: readonly string[],
  find: (name: string) => ProgramVariable | undefined,
): Generator<ProgramVariable> {
  for (const name of names) {
    const variable = find(name)
    if (variable) yield { ...variable, name }
  }
}

const variablesOf = (state: DebugState) => state.debugger.variables(state.frame)

function options(rest: string): { long: boolean; filter: RegExp } {
  const match = /^-v(?:\s+|$)/.exec(rest)
  return { long: match !== null, filter: parsePattern(match ? rest.slice(match[0].length) : rest) }
}

function list(state: DebugState, rest: string, what: string, variables: Iterable<ProgramVariable>): Answer {
  const { long, filter } = options(rest)
  const chosen = function* (): Generator<ProgramVariable> {
    for (const variable of variables) if (filter.test(variable.name)) yield variable
  }
  return {
    *lines() {
      let none = true
      for (const variable of chosen()) {
        none = false
        yield* variableLines(state, variable, long)
      }
      if (none) yield* nothing(state, what, rest)
    },
    empty: () => chosen().next().done === true,
    data: () => ({
      variables: [...chosen()].map(variable => ({
        name: variable.name,
        ...(Object.keys(variable.flags).length > 0 ? { flags: variable.flags } : {}),
        ...(variable.line ? { line: variable.line } : {}),
        ...valueJson(state.load(variable, long ? state.limits : shortLimits)),
      })),
    }),
  }
}

/** Why there is nothing; of arguments without debug information, the words that the runtime prints. */
function nothing(state: DebugState, what: string, rest: string): string[] {
  if (what === 'vars' || rest !== '' || state.debugger.variables(state.frame).known) return [`(no ${what})`]
  const words = what === 'args' ? state.debugger.argumentWords(state.frame) : undefined
  return words ? [`(${clean(words)})`] : [`(no ${what}: there is no debug information for this function)`]
}

/** `name = value`; hidden ones in parentheses. */
export function variableLines(state: DebugState, variable: ProgramVariable, long: boolean): string[] {
  const { name, flags } = variable
  const value = state.load(variable, long ? state.limits : shortLimits)
  const [first, ...more] = state.text(value, { lines: long })
  const shown = clean(flags.shadowed ? `(${name})` : name)
  const notes = (value.notes ?? []).map(note => `    (${clean(note)})`)
  return [`${shown} = ${first}`, ...more, ...notes]
}
