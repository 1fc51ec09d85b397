/** `whatis`: the type of an expression, or what a type consists of. */
import { whatis } from '../debug/commands/print.ts'
import { answerVerb, dumpAndWords, jsonOption, lookOptions, type VerbArgs } from '../debug/verb.ts'
import { define } from '../define.ts'
import { dumpPositional } from '../options.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('whatis')

export const builder = define({
  positionals: {
    dump: { ...dumpPositional, describe: `${dumpPositional.describe}, and the expression alone stands here` },
    expression: { describe: 'an expression or the name of a type, see gocore-expr(7)', several: true },
  },
  options: { ...lookOptions, ...jsonOption },
  examples: [
    ['gocore-sink whatis main.messages', 'the type of a variable'],
    ['gocore-sink whatis 7f3k runtime.hchan', 'the fields of a type'],
  ],
})

interface Args extends VerbArgs {
  dump: string
  expression?: string[]
}

export async function handler(argv: Args): Promise<void> {
  const [dump, expression] = dumpAndWords(argv.dump, argv.expression)
  const { dump: _, ...rest } = argv
  await answerVerb(dump === undefined ? rest : { ...rest, dump }, 'gocore-type', state =>
    whatis.run(state, expression),
  )
}
