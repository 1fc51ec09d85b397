/** `deferred`: the calls that a goroutine had deferred and not yet made. */
import { deferredAnswer } from '../debug/commands/deferred-list.ts'
import { answerVerb, jsonOption, lookOptions, type VerbArgs } from '../debug/verb.ts'
import { define } from '../define.ts'
import { dumpPositional } from '../options.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('deferred')

export const builder = define({
  positionals: { dump: dumpPositional },
  options: { ...lookOptions, ...jsonOption },
  examples: [
    ['gocore-sink deferred', 'of the goroutine that crashed last'],
    ['gocore-sink deferred 7f3k -g 18', 'of another goroutine'],
  ],
})

export async function handler(argv: VerbArgs): Promise<void> {
  await answerVerb(argv, 'gocore-deferred', deferredAnswer)
}
