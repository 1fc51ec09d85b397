/** `run`: a program under our eyes; its crash is explained when it comes. */
import { UsageError } from '../../base/errors.ts'
import { define } from '../define.ts'
import type { GlobalArgs } from '../options.ts'
import { fromDump } from '../render/escape.ts'
import { sayTo, writeLines } from '../render/output.ts'
import { show } from '../render/show.ts'
import { lookOf } from '../render/style.ts'
import { sourceFinder } from '../source-lines.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('run')

export const builder = define({
  positionals: {
    command: { describe: 'the program and its arguments, after --', several: true, complete: 'command' },
  },
  options: {},
  examples: [
    [
      'gocore-sink run -- ./server -addr :8080',
      'explains the crash on standard error, ends as the program did',
    ],
  ],
})

interface Args extends GlobalArgs {
  command?: string[]
  /** What stands after `--`, untouched by our own options. */
  '--'?: string[]
}

export async function handler(argv: Args): Promise<void> {
  const program = [...(argv.command ?? []), ...(argv['--'] ?? [])]
  if (program.length === 0) throw new UsageError('run needs a program to run: gocore-sink run -- ./server')
  const { openSite } = await import('../site.ts')
  const { openTarget } = await import('../target.ts')
  const { endAs, runProgram } = await import('../../install/index.ts')
  const site = openSite(argv)
  const explain = async (id: string): Promise<void> => {
    using target = await openTarget({ ...argv, dump: id })
    const crash = {
      ...fromDump({ manifest: target.manifest, report: await target.report() }),
      target: target.again,
    }
    // Standard output is the program's own.
    writeLines(2, ['', ...show(crash, lookOf(process.stderr), { source: sourceFinder(['.']), all: false })])
  }
  const say = sayTo(2)
  const outcome = await runProgram({ openStore: () => site.place, command: program, show: explain }, line =>
    say(`gocore-sink: ${line}`),
  )
  endAs(outcome)
}
