/** `thread N`: the stack that a thread was on, or a command of the debugger looking from there. */
import { NotFoundError, UsageError } from '../../base/errors.ts'
import { numberDumpCommand, runsCommand, withDump } from '../debug/place-verb.ts'
import { limitOptions, type VerbArgs } from '../debug/verb.ts'
import { define } from '../define.ts'
import { binaryOptions, dumpPositional, jsonOption } from '../options.ts'
import { fromDump } from '../render/escape.ts'
import { jsonObject } from '../render/json.ts'
import { writeLines } from '../render/output.ts'
import { page } from '../render/pager.ts'
import { type TracebackOptions, threadTraceback } from '../render/traceback.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('thread')

export const builder = define({
  positionals: {
    number: { describe: "the kernel's number of the thread, as threads prints it" },
    dump: dumpPositional,
    command: runsCommand,
  },
  options: {
    ...binaryOptions,
    addresses: {
      type: 'boolean',
      alias: 'x',
      describe: 'add stack pointer and program counter to each frame',
    },
    ...limitOptions,
    ...jsonOption,
  },
  examples: [
    ['gocore-sink thread 4711', 'of the latest crash'],
    ['gocore-sink thread 4711 7f3k info registers', 'its registers, as GDB prints them'],
    ['gocore-sink thread apply all 7f3k bt', 'the frames of every thread'],
    ['gocore-sink thread 4711 ./core bt -full', 'its frames, those of C with their variables too'],
  ],
})

interface Args extends VerbArgs, TracebackOptions {
  number: string
  command?: string[]
}

/** GDB's `thread apply all bt`: what it applies to is one word with it. */
const apply = /^apply (?:all|\d+(?: \d+)*)$/

export function prepare(args: readonly string[]): string[] {
  const at = args.indexOf('apply')
  let end = at + 1
  while (at >= 0 && /^(?:all|\d{1,9})$/.test(args[end] ?? '')) end++
  const words = at < 0 ? args : [...args.slice(0, at), args.slice(at, end).join(' '), ...args.slice(end)]
  return numberDumpCommand(words, { options: builder.spec.options ?? {}, isNumber: () => true })
}

export async function handler(given: Args): Promise<void> {
  const argv = withDump(given)
  const [command] = argv.command ?? []
  const isNumber = /^\d{1,9}$/.test(argv.number)
  if (!isNumber && !apply.test(argv.number))
    throw new UsageError(`A thread is named by its number, not by ${JSON.stringify(argv.number)}.`)
  if (command !== undefined) {
    const { answerCommand } = await import('../debug/verb.ts')
    return isNumber
      ? answerCommand({ ...argv, thread: Number(argv.number) }, command)
      : answerCommand(argv, `thread ${argv.number} ${command}`)
  }
  if (!isNumber) throw new UsageError('thread apply takes all or numbers of threads, and a command.')
  const { openTarget } = await import('../target.ts')
  using target = await openTarget(argv)
  const thread = (await target.threads()).find(({ tid }) => tid === Number(argv.number))
  if (!thread)
    throw new NotFoundError(
      `${target.label} has no thread ${argv.number}; gocore-sink threads ${target.again} lists them.`,
    )
  if (argv.json)
    return writeLines(1, jsonObject({ schema: 'gocore-thread', version: 1, id: target.id, thread }))
  await page(threadTraceback(fromDump(thread), argv), { pager: !argv.noPager })
}
