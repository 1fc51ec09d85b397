/** `goroutine N`: one goroutine's stack as the runtime prints it, or a command of the debugger looking from there. */
import { NotFoundError, UsageError } from '../../base/errors.ts'
import { numberDumpCommand, runsCommand, withDump } from '../debug/place-verb.ts'
import { limitOptions, type VerbArgs } from '../debug/verb.ts'
import { define } from '../define.ts'
import { binaryOptions, dumpPositional, jsonOption, wholeOption } from '../options.ts'
import { jsonObject } from '../render/json.ts'
import { writeLines } from '../render/output.ts'
import { page } from '../render/pager.ts'
import type { TracebackOptions } from '../render/traceback.ts'
import { entry } from '../verbs.ts'
import { tracebacks } from './bt.ts'

export const { command, describe } = entry('goroutine')

export const builder = define({
  positionals: {
    number: { describe: "the goroutine's number, as tracebacks print it" },
    dump: dumpPositional,
    command: runsCommand,
  },
  options: {
    ...binaryOptions,
    system: { type: 'boolean', alias: 's', describe: "the runtime's own frames too" },
    addresses: {
      type: 'boolean',
      alias: 'x',
      describe: 'add stack pointer and program counter to each frame',
    },
    ...wholeOption,
    ...limitOptions,
    ...jsonOption,
  },
  examples: [
    ['gocore-sink goroutine 17', 'of the latest crash'],
    ['gocore-sink goroutine 17 ./core', 'of a core file'],
    ['gocore-sink goroutine 17 7f3k frame 4 print ch', 'a variable of a frame'],
    ['gocore-sink goroutine 17 7f3k bt -full', 'the frames with their variables'],
  ],
})

interface Args extends VerbArgs, TracebackOptions {
  number: string
  command?: string[]
}

export function prepare(args: readonly string[]): string[] {
  return numberDumpCommand(args, { options: builder.spec.options ?? {}, isNumber: () => true })
}

export async function handler(given: Args): Promise<void> {
  const argv = withDump(given)
  if (!/^\d{1,15}$/.test(argv.number))
    throw new UsageError(`A goroutine is named by its number, not by ${JSON.stringify(argv.number)}.`)
  const [command] = argv.command ?? []
  if (command !== undefined) {
    const { answerCommand } = await import('../debug/verb.ts')
    return answerCommand({ ...argv, goroutine: Number(argv.number) }, command)
  }
  const { openTarget } = await import('../target.ts')
  using target = await openTarget(argv)
  const goroutine = await target.goroutine(Number(argv.number))
  if (!goroutine)
    throw new NotFoundError(
      `${target.label} has no goroutine ${argv.number}; gocore-sink goroutines -l ${target.again} lists them.`,
    )
  if (argv.json)
    return writeLines(1, jsonObject({ schema: 'gocore-goroutine', version: 1, id: target.id, goroutine }))
  // A goroutine of the runtime has hardly any frames but the runtime's own.
  await page(tracebacks([goroutine], { ...argv, system: argv.system || goroutine.system }), {
    pager: !argv.noPager,
  })
}
