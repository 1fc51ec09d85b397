/** `goroutine N`: one goroutine's stack as the runtime prints it. */
import { NotFoundError, UsageError } from '../../base/errors.ts'
import { define } from '../define.ts'
import {
  dumpPositional,
  exeOption,
  fullOption,
  type JsonArgs,
  jsonOption,
  type TargetArgs,
} from '../options.ts'
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
  },
  options: {
    ...exeOption,
    system: { type: 'boolean', alias: 's', describe: "the runtime's own frames too" },
    addresses: {
      type: 'boolean',
      alias: 'x',
      describe: 'add stack pointer and program counter to each frame',
    },
    ...fullOption,
    ...jsonOption,
  },
  examples: [
    ['gocore-sink goroutine 17', 'of the latest crash'],
    ['gocore-sink goroutine 17 ./core', 'of a core file'],
  ],
})

interface Args extends TargetArgs, JsonArgs, TracebackOptions {
  number: string
}

export async function handler(argv: Args): Promise<void> {
  if (!/^\d{1,15}$/.test(argv.number))
    throw new UsageError(`A goroutine is named by its number, not by ${JSON.stringify(argv.number)}.`)
  const { openTarget } = await import('../target.ts')
  using target = await openTarget(argv)
  const goroutine = await target.goroutine(Number(argv.number))
  if (!goroutine)
    throw new NotFoundError(
      `${target.label} has no goroutine ${argv.number}; gocore-sink goroutines -l ${target.label} lists them.`,
    )
  if (argv.json)
    return writeLines(1, jsonObject({ schema: 'gocore-goroutine', version: 1, id: target.id, goroutine }))
  // A goroutine of the runtime has hardly any frames but the runtime's own.
  await page(tracebacks([goroutine], { ...argv, system: argv.system || goroutine.system }), {
    pager: !argv.noPager,
  })
}
