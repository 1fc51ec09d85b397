/** `frame`: where a frame is, its source and its variables; or a command of the debugger looking from there. */
import { frameDetails } from '../debug/commands/frame-details.ts'
import { dumpIsLast, numberDumpCommand, runsCommand, withDump } from '../debug/place-verb.ts'
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

export const { command, describe } = entry('frame')

export const builder = define({
  positionals: {
    number: { describe: 'number of the frame, or its function; bt --frames numbers them' },
    dump: dumpPositional,
    command: runsCommand,
  },
  options: { ...lookOptions, ...limitOptions, ...jsonOption },
  examples: [
    ['gocore-sink frame main.main', 'the innermost frame of a function, in the latest crash'],
    ['gocore-sink frame 3 7f3k -g 18', 'the fourth frame of a goroutine'],
    ['gocore-sink frame 3 7f3k list', 'its source alone'],
  ],
})

interface Args extends VerbArgs {
  number: string
  command?: string[]
}

export function prepare(args: readonly string[]): string[] {
  return numberDumpCommand(args, { options: builder.spec.options ?? {}, isNumber: () => true })
}

export async function handler(given: Args): Promise<void> {
  dumpIsLast('frame', 'a number', [given.number, given.dump || undefined], /^\d{1,3}$/)
  const argv = { ...withDump(given), frame: given.number }
  const [command] = argv.command ?? []
  return command === undefined ? answerVerb(argv, 'gocore-frame', frameDetails) : answerCommand(argv, command)
}
