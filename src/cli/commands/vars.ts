/** `vars`: package variables, and global ones of C. */
import { vars } from '../debug/commands/variables.ts'
import { answerVerb, jsonOption, limitOptions, lookOptions, type VerbArgs } from '../debug/verb.ts'
import { define } from '../define.ts'
import { dumpPositional } from '../options.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('vars')

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
    ["gocore-sink vars 7f3k '^main\\.'", 'of package main'],
    ['gocore-sink vars ./core --json', 'all of them, for programs'],
  ],
})

interface Args extends VerbArgs {
  regex?: string
  verbose?: boolean
}

export async function handler(argv: Args): Promise<void> {
  const rest = `${argv.verbose ? '-v ' : ''}${argv.regex ?? ''}`
  await answerVerb(argv, 'gocore-variables', state => vars.run(state, rest))
}
