/** `frame`: where a frame is, its source and its variables. */
import { frameDetails } from '../debug/commands/frame-details.ts'
import { answerVerb, jsonOption, limitOptions, lookOptions, type VerbArgs } from '../debug/verb.ts'
import { define } from '../define.ts'
import { dumpPositional } from '../options.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('frame')

export const builder = define({
  positionals: {
    number: { describe: 'number of the frame, or its function; bt --frames numbers them' },
    dump: dumpPositional,
  },
  options: { ...lookOptions, ...limitOptions, ...jsonOption },
  examples: [
    ['gocore-sink frame main.main', 'the innermost frame of a function, in the latest crash'],
    ['gocore-sink frame 3 7f3k -g 18', 'the fourth frame of a goroutine'],
  ],
})

interface Args extends VerbArgs {
  number: string
}

export async function handler(argv: Args): Promise<void> {
  await answerVerb({ ...argv, frame: argv.number }, 'gocore-frame', frameDetails)
}
