/** `up` and `down` as verbs: a frame near the one that one looks from, in full, or a command run there. */
import { type Builder, define } from '../define.ts'
import { dumpPositional } from '../options.ts'
import { entry } from '../verbs.ts'
import type { DebugCommand } from './command.ts'
import { frameDetails } from './commands/frame-details.ts'
import { isSmallNumber, numberDumpCommand, runsCommand, withDump } from './place-verb.ts'
import { runCommand } from './run-command.ts'
import { answerVerb, jsonOption, limitOptions, lookOptions, type VerbArgs } from './verb.ts'

interface Args extends VerbArgs {
  number?: string
  command?: string[]
}

interface StepVerb {
  readonly command: string
  readonly describe: string
  readonly builder: Builder
  prepare(args: readonly string[]): string[]
  handler(argv: Args): Promise<void>
}

export function stepVerb(row: DebugCommand, what: string): StepVerb {
  const builder = define({
    positionals: {
      number: { describe: 'so many frames; 1 without it', complete: 'dump' },
      dump: dumpPositional,
      command: runsCommand,
    },
    options: { ...lookOptions, ...limitOptions, ...jsonOption },
    examples: [[`gocore-sink ${row.name} 2 7f3k locals`, what]],
  })
  return {
    ...entry(row.name),
    builder,
    prepare: args =>
      numberDumpCommand(args, { options: builder.spec.options ?? {}, isNumber: isSmallNumber }),
    async handler(argv) {
      const [command] = argv.command ?? []
      await answerVerb(withDump(argv), 'gocore-frame', async state => {
        await row.run(state, argv.number ?? '')
        return command === undefined ? frameDetails(state) : runCommand(state, command)
      })
    },
  }
}
