/** `types`, `funcs` and `packages`: what there is, by name. (`sources` is with the code.) */
import { type Answer, type DebugCommand, pattern } from '../command.ts'
import { clean, type DebugState } from '../state.ts'

export const types: DebugCommand = {
  name: 'types',
  usage: 'types [REGEX]',
  describe: 'list the types of the program',
  details: ['Without debug information, those that the runtime has descriptors of.'],
  run: (state, rest) => matching(rest, 'types', state, program => program.typeNames()),
}

export const funcs: DebugCommand = {
  name: 'funcs',
  usage: 'funcs [REGEX]',
  describe: 'list the functions of the program',
  run: (state, rest) => matching(rest, 'functions', state, program => program.functionNames()),
}

export const packages: DebugCommand = {
  name: 'packages',
  usage: 'packages [REGEX]',
  describe: 'list the packages of the program',
  run: (state, rest) => matching(rest, 'packages', state, program => program.packages()),
}

function matching(
  rest: string,
  what: string,
  { debugger: { program } }: DebugState,
  list: (of: DebugState['debugger']['program']) => readonly string[],
): Answer {
  const filter = pattern(rest)
  const chosen = list(program).filter(name => filter.test(name))
  return { lines: () => chosen.map(clean), data: () => ({ [what]: chosen }) }
}
