/** `show`: why a program died, for a person. */
import { NotFoundError } from '../../base/errors.ts'
import { define } from '../define.ts'
import { binaryOptions, dumpPositional, type JsonArgs, jsonOption, type TargetArgs } from '../options.ts'
import { fromDump } from '../render/escape.ts'
import { writeLines } from '../render/output.ts'
import { page } from '../render/pager.ts'
import { show } from '../render/show.ts'
import { lookOf } from '../render/style.ts'
import { reportOrigin } from '../source/origin.ts'
import { sourceFinder } from '../source-lines.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('show')

export const builder = define({
  positionals: { dump: dumpPositional },
  options: {
    ...binaryOptions,
    source: {
      type: 'string',
      value: 'DIR',
      several: true,
      describe: 'look for source files below this directory too',
      complete: 'directory',
    },
    all: {
      type: 'boolean',
      alias: 'a',
      describe: "all frames and all stacks, those of the runtime's own goroutines too",
    },
    fresh: { type: 'boolean', describe: 'analyse the core again instead of reading the stored report' },
    ...jsonOption,
  },
  examples: [
    ['gocore-sink show', 'the latest crash'],
    ['gocore-sink show 7f3k', 'the dump whose id begins so'],
    ['gocore-sink show ./core.zst --exe ./server', 'a core file that was never in the archive'],
  ],
})

interface Args extends TargetArgs, JsonArgs {
  source?: string[]
  all?: boolean
  fresh?: boolean
}

export async function handler(argv: Args): Promise<void> {
  const { openTarget } = await import('../target.ts')
  using target = await openTarget(argv)
  const report = await target.report({ fresh: argv.fresh === true, brief: !argv.json })
  if (argv.json) {
    const { goroutinesJson, reportJson } = await import('../report-json.ts')
    if (!report)
      throw new NotFoundError(
        `${target.label} has no core to report on; gocore-sink info --json has what is known.`,
      )
    // A report in memory lists some thousands; a program that asks for JSON gets all, streamed.
    // Those of a core that is gone by now are lost.
    const whole = report.goroutinesOmitted === 0 || target.corePath === undefined
    const all = whole ? undefined : await target.goroutines()
    return writeLines(1, all ? goroutinesJson(report, all) : reportJson(report))
  }
  const crash = { ...fromDump({ manifest: target.manifest, report }), target: target.again }
  const diedAt = target.manifest && Date.parse(target.manifest.time)
  const source = sourceFinder({ dirs: argv.source ?? [], origin: reportOrigin(report?.go, diedAt) })
  const options = { source, all: argv.all === true }
  await page(show(crash, lookOf(process.stdout), options), { pager: !argv.noPager })
}
