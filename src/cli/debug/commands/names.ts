/** `types`, `funcs` and `packages`: what there is, by name. (`sources` is with the code.) */
import { packages as packagesOf } from '../../inspect/names.ts'
import { parsePattern } from '../../pattern.ts'
import type { Answer, DebugCommand } from '../command.ts'
import { clean, type DebugState } from '../state.ts'

export const types: DebugCommand = {
  name: 'types',
  schema: 'gocore-names',
  usage: 'types [REGEX]',
  describe: 'list the types of the program',
  details: ['Without debug information, those that the runtime has descriptors of.'],
  run: (state, rest) => matching(rest, 'types', state, program => program.typeNames()),
}

export const funcs: DebugCommand = {
  name: 'funcs',
  schema: 'gocore-names',
  usage: 'funcs [REGEX]',
  describe: 'list the functions of the program',
  run: (state, rest) => matching(rest, 'functions', state, program => program.functionNames()),
}

export const packages: DebugCommand = {
  name: 'packages',
  schema: 'gocore-packages',
  usage: 'packages [REGEX]',
  describe: 'list the packages of the program',
  run: (state, rest) => answer('packages', packagesOf(state, parsePattern(rest))),
}

function matching(
  rest: string,
  what: string,
  { debugger: { program } }: DebugState,
  list: (of: DebugState['debugger']['program']) => readonly string[],
): Answer {
  const filter = parsePattern(rest)
  return answer(
    what,
    list(program).filter(name => filter.test(name)),
  )
}

const answer = (what: string, names: readonly string[]): Answer => ({
  lines: () => (names.length === 0 ? [`(no ${what})`] : names.map(clean)),
  empty: () => names.length === 0,
  data: () => ({ [what]: names }),
})
