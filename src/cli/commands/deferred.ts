/** `deferred`: the calls that a goroutine had deferred and not yet made, or a command run where one of them begins. */
import { UsageError } from '../../base/errors.ts'
import { deferredAnswer } from '../debug/commands/deferred-list.ts'
import { isSmallNumber, numberDumpCommand, runsCommand, withDump } from '../debug/place-verb.ts'
import {
  answerCommand,
  answerVerb,
  jsonOption,
  limitOptions,
  lookOptions,
  type VerbArgs,
} from '../debug/verb.ts'
import { define } from '../define.ts'
import { dumpPositional } from '../options.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('deferred')

export const builder = define({
  positionals: {
    number: {
      describe: 'number of a deferred call of the frame, where a command follows; bt -defer numbers them',
      complete: 'dump',
    },
    dump: dumpPositional,
    command: runsCommand,
  },
  options: { ...lookOptions, ...limitOptions, ...jsonOption },
  examples: [
    ['gocore-sink deferred', 'of the goroutine that crashed last'],
    ['gocore-sink deferred 7f3k -g 18', 'of another goroutine'],
    ['gocore-sink deferred 1 7f3k -f main.main locals', 'what the newest one of a function has captured'],
  ],
})

interface Args extends VerbArgs {
  number?: string
  command?: string[]
}

export function prepare(args: readonly string[]): string[] {
  return numberDumpCommand(args, {
    options: builder.spec.options ?? {},
    isNumber: (word, following) => isSmallNumber(word) && following > 0,
  })
}

export async function handler(given: Args): Promise<void> {
  const argv = withDump(given)
  const [command] = argv.command ?? []
  if (command === undefined && !given.number) return answerVerb(argv, 'gocore-deferred', deferredAnswer)
  if (command === undefined || !given.number)
    throw new UsageError('deferred takes the number of a call and a command, or neither.')
  await answerCommand(argv, `deferred ${given.number} ${command}`)
}
