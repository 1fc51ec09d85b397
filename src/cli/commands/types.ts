/** `types`: the types of a program. */
import { types } from '../debug/commands/names.ts'
import { answerVerb, jsonOption, symbolOptions, type VerbArgs } from '../debug/verb.ts'
import { define } from '../define.ts'
import { dumpPositional } from '../options.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('types')

export const builder = define({
  positionals: {
    dump: dumpPositional,
    regex: { describe: 'those that match this regular expression' },
  },
  options: { ...symbolOptions, ...jsonOption },
  examples: [["gocore-sink types 7f3k '^main\\.'", 'of package main']],
})

interface Args extends VerbArgs {
  regex?: string
}

export async function handler(argv: Args): Promise<void> {
  await answerVerb(argv, 'gocore-names', state => types.run(state, argv.regex ?? ''))
}
