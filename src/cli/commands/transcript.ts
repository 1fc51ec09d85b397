/** `transcript`: one command of the debugger, written into a file as well. */
import { UsageError } from '../../base/errors.ts'
import { numberDumpCommand, runsCommand, withDump } from '../debug/place-verb.ts'
import { answerVerb, jsonOption, limitOptions, lookOptions, type VerbArgs } from '../debug/verb.ts'
import { define } from '../define.ts'
import { dumpPositional } from '../options.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('transcript')

export const builder = define({
  positionals: {
    file: { describe: 'where the command and its answer are added at the end', complete: 'file' },
    dump: dumpPositional,
    command: runsCommand,
  },
  options: {
    truncate: { type: 'boolean', alias: 't', describe: 'begin the file anew' },
    quiet: { type: 'boolean', alias: 'x', describe: 'print nothing' },
    ...lookOptions,
    ...limitOptions,
    ...jsonOption,
  },
  examples: [['gocore-sink transcript gdb.txt 7f3k bt full', 'every frame with its variables, into a file']],
})

interface Args extends VerbArgs {
  file: string
  command?: string[]
  truncate?: boolean
  quiet?: boolean
}

export function prepare(args: readonly string[]): string[] {
  return numberDumpCommand(args, { options: builder.spec.options ?? {}, isNumber: () => true })
}

export async function handler(given: Args): Promise<void> {
  const argv = withDump(given)
  const [command] = argv.command ?? []
  if (command === undefined) throw new UsageError('transcript takes a file and a command of the debugger.')
  const { recorded } = await import('../debug/commands/session.ts')
  await answerVerb(argv, 'gocore-answer', state =>
    recorded(state, command, { file: given.file, anew: argv.truncate === true, quiet: argv.quiet === true }),
  )
}
