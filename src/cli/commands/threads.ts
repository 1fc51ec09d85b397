/** `threads`: what each kernel thread was doing, on its g0 stack, its signal stack or in C. */
import { NotFoundError } from '../../base/errors.ts'
import type { Thread } from '../../engine/report/report.ts'
import { define } from '../define.ts'
import { binaryOptions, dumpPositional, type JsonArgs, jsonOption, type TargetArgs } from '../options.ts'
import { fromDump } from '../render/escape.ts'
import { jsonDocument } from '../render/json.ts'
import { writeLines } from '../render/output.ts'
import { page } from '../render/pager.ts'
import { registerLines } from '../render/registers.ts'
import { lookOf } from '../render/style.ts'
import { type TracebackOptions, threadTraceback } from '../render/traceback.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('threads')

export const builder = define({
  positionals: { dump: dumpPositional },
  options: {
    ...binaryOptions,
    registers: { type: 'boolean', alias: 'r', describe: 'the registers of each thread too' },
    addresses: {
      type: 'boolean',
      alias: 'x',
      describe: 'add stack pointer and program counter to each frame',
    },
    ...jsonOption,
  },
  examples: [
    ['gocore-sink threads', 'of the latest crash, the thread that died first'],
    ['gocore-sink threads -r 7f3k', 'with registers'],
  ],
})

interface Args extends TargetArgs, JsonArgs, TracebackOptions {
  registers?: boolean
}

export async function handler(argv: Args): Promise<void> {
  const { openTarget } = await import('../target.ts')
  using target = await openTarget(argv)
  const threads = await target.threads()
  if (argv.json)
    return writeLines(
      1,
      jsonDocument({ schema: 'gocore-threads', version: 1, id: target.id }, 'threads', threads),
    )
  if (threads.length === 0) throw new NotFoundError(`${target.label} holds no threads.`)
  const look = lookOf(process.stdout)
  await page(
    (function* () {
      for (const [i, thread] of crashedFirst(threads).entries()) {
        if (i > 0) yield ''
        const clean = fromDump(thread)
        yield* threadTraceback(clean, argv)
        if (argv.registers) yield* registerLines(clean.registers, look)
      }
    })(),
    { pager: !argv.noPager },
  )
}

const crashedFirst = (threads: readonly Thread[]): Thread[] => [
  ...threads.filter(thread => thread.crashed),
  ...threads.filter(thread => !thread.crashed),
]
