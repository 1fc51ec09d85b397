/** `print`: the value of an expression, and nothing else. */
import { print } from '../debug/commands/print.ts'
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

export const { command, describe } = entry('print')

export const builder = define({
  positionals: {
    dump: { ...dumpPositional, describe: `${dumpPositional.describe}, and the expression alone stands here` },
    expression: { describe: 'what to print, see gocore-expr(7)', several: true },
  },
  options: { ...lookOptions, ...limitOptions, ...jsonOption },
  examples: [
    ['gocore-sink print main.messages', 'a package variable, of the latest crash'],
    ['gocore-sink print 7f3k ch --goroutine 18 --frame main.producer', 'a variable where a goroutine waits'],
    ["gocore-sink print ./core '*(*main.T)(0xc000010000)'", 'what lies at an address'],
  ],
})

interface Args extends VerbArgs {
  dump: string
  expression?: string[]
}

export async function handler(argv: Args): Promise<void> {
  const [dump, expression] = dumpAndWords(argv.dump, argv.expression)
  const { dump: _, ...rest } = argv
  await answerVerb(dump === undefined ? rest : { ...rest, dump }, 'gocore-value', state =>
    print.run(state, expression),
  )
}
