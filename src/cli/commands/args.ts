/** `args`: the arguments and results of a frame. */
import { args } from '../debug/commands/variables.ts'
import { answerVerb, jsonOption, limitOptions, lookOptions, type VerbArgs } from '../debug/verb.ts'
import { define } from '../define.ts'
import { dumpPositional } from '../options.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('args')

export const builder = define({
  positionals: {
    dump: dumpPositional,
    regex: { describe: 'those whose names match this regular expression' },
  },
  options: {
    ...lookOptions,
    verbose: { type: 'boolean', alias: 'v', describe: 'values as print shows them, not in short' },
    ...limitOptions,
    ...jsonOption,
  },
  examples: [
    ['gocore-sink args', 'of the function where the latest crash died'],
    ['gocore-sink args ./core -f 3', 'of the fourth frame'],
  ],
})

interface Args extends VerbArgs {
  regex?: string
  verbose?: boolean
}

export async function handler(argv: Args): Promise<void> {
  const rest = `${argv.verbose ? '-v ' : ''}${argv.regex ?? ''}`
  await answerVerb(argv, 'gocore-variables', state => args.run(state, rest))
}
