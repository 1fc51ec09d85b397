/** `bt`: the stack of the goroutine that crashed, or of all, as the runtime prints them. */
import { NotFoundError } from '../../base/errors.ts'
import type { Goroutine } from '../../engine/report/report.ts'
import { define } from '../define.ts'
import {
  dumpPositional,
  exeOption,
  fullOption,
  type JsonArgs,
  jsonOption,
  type TargetArgs,
} from '../options.ts'
import { fromDump } from '../render/escape.ts'
import { jsonDocument } from '../render/json.ts'
import { writeLines } from '../render/output.ts'
import { page } from '../render/pager.ts'
import { type TracebackOptions, threadTraceback, traceback } from '../render/traceback.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('bt')

export const builder = define({
  positionals: { dump: dumpPositional },
  options: {
    ...exeOption,
    all: {
      type: 'boolean',
      alias: 'a',
      describe: 'every goroutine, the crashed one first, as at GOTRACEBACK=all',
    },
    system: {
      type: 'boolean',
      alias: 's',
      describe: "the runtime's own frames too, and with -a its own goroutines, as at GOTRACEBACK=system",
    },
    addresses: {
      type: 'boolean',
      alias: 'x',
      describe: 'add stack pointer and program counter to each frame',
    },
    ...fullOption,
    ...jsonOption,
  },
  examples: [
    ['gocore-sink bt', 'the goroutine that crashed last'],
    ['gocore-sink bt -as 7f3k', 'all that the runtime would print at GOTRACEBACK=crash'],
  ],
})

interface Args extends TargetArgs, JsonArgs, TracebackOptions {
  all?: boolean
}

export async function handler(argv: Args): Promise<void> {
  const { openTarget } = await import('../target.ts')
  using target = await openTarget(argv)
  const guilty = await target.guilty()
  const chosen = argv.all ? allOf(await target.goroutines(), guilty, argv) : guilty ? [guilty] : []
  if (argv.json)
    return writeLines(
      1,
      jsonDocument({ schema: 'gocore-goroutines', version: 1, id: target.id }, 'goroutines', chosen),
    )
  if (!argv.all && !guilty) {
    const crashed = (await target.threads()).find(thread => thread.crashed)
    if (!crashed) throw new NotFoundError(`${target.label} does not tell which goroutine or thread crashed.`)
    return page(threadTraceback(fromDump(crashed), argv), { pager: !argv.noPager })
  }
  await page(tracebacks(chosen, argv), { pager: !argv.noPager })
}

/** The crashed goroutine, then the others in the runtime's order. */
function* allOf(list: Iterable<Goroutine>, guilty: Goroutine | undefined, argv: Args): Generator<Goroutine> {
  if (guilty) yield guilty
  for (const goroutine of list)
    if (goroutine.id !== guilty?.id && (argv.system || !goroutine.system)) yield goroutine
}

/** Goroutines one after the other, an empty line between. */
export function* tracebacks(list: Iterable<Goroutine>, options: TracebackOptions): Generator<string> {
  let first = true
  for (const goroutine of list) {
    if (!first) yield ''
    first = false
    yield* traceback(goroutine, options)
  }
}
