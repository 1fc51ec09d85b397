/** `bt`: the stack of the goroutine that crashed, or of all, as the runtime prints them. */
import { existsSync } from 'node:fs'
import { NotFoundError } from '../../base/errors.ts'
import type { GoroutineView } from '../../engine/index.ts'
import type { Goroutine } from '../../engine/report/report.ts'
import { define, wholeNumber } from '../define.ts'
import { type PlaceArgs, placeOptions } from '../inspect/open.ts'
import {
  binaryOptions,
  dumpPositional,
  type JsonArgs,
  jsonOption,
  type TargetArgs,
  wholeOption,
} from '../options.ts'
import { fromDump } from '../render/escape.ts'
import { jsonDocument } from '../render/json.ts'
import { writeLines } from '../render/output.ts'
import { page } from '../render/pager.ts'
import { type TracebackOptions, threadTraceback, traceback } from '../render/traceback.ts'
import { TracebackTexts } from '../render/tracebacks.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('bt')

const numbered = 'Frame by frame'

export const builder = define({
  positionals: { dump: dumpPositional },
  options: {
    ...binaryOptions,
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
    ...wholeOption,
    ...jsonOption,
    frames: {
      type: 'boolean',
      describe: 'numbered, from the handler of the signal on, as the debugger has them',
      group: numbered,
    },
    full: { type: 'boolean', alias: 'v', describe: 'with the variables of each frame', group: numbered },
    defer: { type: 'boolean', describe: 'with the deferred calls of each frame', group: numbered },
    offsets: { type: 'boolean', describe: 'with where each frame lies on the stack', group: numbered },
    limit: {
      type: 'string',
      alias: 'n',
      value: 'N',
      describe: 'so many frames; 50 without it',
      parse: wholeNumber,
      group: numbered,
    },
    ...Object.fromEntries(
      Object.entries(placeOptions)
        .filter(([name]) => name !== 'frame')
        .map(([name, option]) => [name, { ...option, group: numbered }]),
    ),
  },
  examples: [
    ['gocore-sink bt', 'the goroutine that crashed last'],
    ['gocore-sink bt 7f3k -full', 'with every variable of its frames'],
    ['gocore-sink bt -as 7f3k', 'all that the runtime would print at GOTRACEBACK=crash'],
  ],
})

interface Args extends TargetArgs, JsonArgs, TracebackOptions, PlaceArgs {
  all?: boolean
  frames?: boolean
  full?: boolean
  defer?: boolean
  offsets?: boolean
  limit?: number
}

/** GDB's `bt full`. */
export function prepare(args: readonly string[]): string[] {
  return args.map(word => (word === 'full' && !existsSync(word) ? '--full' : word))
}

export async function handler(argv: Args): Promise<void> {
  if (
    argv.frames ||
    argv.full ||
    argv.defer ||
    argv.offsets ||
    argv.limit !== undefined ||
    argv.goroutine !== undefined ||
    argv.thread !== undefined
  )
    return framesOf(argv)
  const { openTarget } = await import('../target.ts')
  using target = await openTarget(argv)
  const guilty = await target.guilty()
  const views = argv.all && !argv.json && !argv.addresses ? await target.views() : undefined
  if (views) return await page(textsOf(views, guilty?.id, argv.system === true), { pager: !argv.noPager })
  const chosen = argv.all ? allOf(await target.goroutines(), guilty, argv) : guilty ? [guilty] : []
  if (argv.json)
    return writeLines(
      1,
      jsonDocument({ schema: 'gocore-goroutines', version: 1, id: target.id }, 'goroutines', chosen),
    )
  if (!argv.all && !guilty) {
    const crashed = (await target.threads()).find(thread => thread.crashed)
    if (!crashed) throw new NotFoundError(`${target.label} does not tell which goroutine or thread crashed.`)
    return await page(threadTraceback(fromDump(crashed), argv), { pager: !argv.noPager })
  }
  await page(tracebacks(chosen, argv), { pager: !argv.noPager })
}

/** The stack as the debugger has it. */
async function framesOf(argv: Args): Promise<void> {
  const { answerVerb } = await import('../debug/verb.ts')
  const { stack } = await import('../debug/commands/stack.ts')
  const depth = argv.limit ?? (argv.whole ? 1_000_000 : undefined)
  const flags = [
    ...(depth === undefined ? [] : [depth]),
    ...(['full', 'defer', 'offsets'] as const).filter(name => argv[name]).map(name => `-${name}`),
  ].join(' ')
  await answerVerb(argv, 'gocore-frames', state => stack.run(state, flags))
}

/** The same as allOf() in text. */
function* textsOf(
  views: Iterable<GoroutineView>,
  guilty: number | undefined,
  system: boolean,
): Generator<string> {
  const texts = new TracebackTexts({ system })
  const others: GoroutineView[] = []
  let before = guilty !== undefined
  let first = true
  const said = (view: GoroutineView): string => {
    const text = `${first ? '' : '\n'}${texts.of(view)}`
    first = false
    return text
  }
  for (const view of views) {
    if (view.id === guilty) {
      before = false
      yield said(view)
      for (const other of others) yield said(other)
    } else if (!system && view.system) continue
    // Those in front of the one that crashed wait for it; their stacks are not walked yet.
    else if (before) others.push(view)
    else yield said(view)
  }
  if (before) for (const other of others) yield said(other)
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
