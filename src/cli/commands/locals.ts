/** `locals`: the local variables of a frame. */
import { locals } from '../debug/commands/variables.ts'
import { answerVerb, jsonOption, limitOptions, lookOptions, type VerbArgs } from '../debug/verb.ts'
import { define } from '../define.ts'
import { dumpPositional } from '../options.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('locals')

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
    ['gocore-sink locals', 'where the latest crash died'],
    ['gocore-sink locals 7f3k -g 18 -f main.producer -v', 'where a goroutine waits'],
  ],
})

interface Args extends VerbArgs {
  regex?: string
  verbose?: boolean
}

export async function handler(argv: Args): Promise<void> {
  const rest = `${argv.verbose ? '-v ' : ''}${argv.regex ?? ''}`
  await answerVerb(argv, 'gocore-variables', state => locals.run(state, rest))
}
