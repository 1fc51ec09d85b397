/** `display`: several expressions, each with its value. */
import { display, displayed } from '../debug/commands/session.ts'
import {
  answerVerb,
  dumpAndWords,
  jsonOption,
  limitOptions,
  lookOptions,
  type VerbArgs,
} from '../debug/verb.ts'
import { define } from '../define.ts'
import { dumpPositional } from '../options.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('display')

export const builder = define({
  positionals: {
    dump: { ...dumpPositional, describe: `${dumpPositional.describe}, and the expression alone stands here` },
    expressions: {
      describe: 'what to print, each one word for the shell; see gocore-expr(7)',
      several: true,
    },
  },
  options: { ...lookOptions, ...limitOptions, ...jsonOption },
  examples: [["gocore-sink display 7f3k main.items 'len(main.items)'", 'a variable and its length']],
})

interface Args extends VerbArgs {
  dump: string
  expressions?: string[]
}

export async function handler(argv: Args): Promise<void> {
  const { dump: first, expressions, ...rest } = argv
  const [dump, alone] = dumpAndWords('display', first, expressions)
  await answerVerb(dump === undefined ? rest : { ...rest, dump }, 'gocore-display', async state => {
    for (const expression of dump === undefined ? [alone] : expressions!)
      await display.run(state, `-a ${expression}`)
    return displayed(state)
  })
}
