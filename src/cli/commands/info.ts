/** `info`: every recorded fact. */
import { define } from '../define.ts'
import { dumpPositional, exeOption, type JsonArgs, jsonOption, type TargetArgs } from '../options.ts'
import { fromDump } from '../render/escape.ts'
import { facts } from '../render/facts.ts'
import { infoSections } from '../render/info.ts'
import { jsonObject } from '../render/json.ts'
import { writeLines } from '../render/output.ts'
import { page } from '../render/pager.ts'
import { lookOf, palette } from '../render/style.ts'
import type { Summary, Target } from '../target.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('info')

export const builder = define({
  positionals: { dump: dumpPositional },
  options: {
    ...exeOption,
    all: {
      type: 'boolean',
      alias: 'a',
      describe: 'long texts too: mappings, limits, status, open files, modules',
    },
    ...jsonOption,
  },
  examples: [
    ['gocore-sink info', 'of the latest crash'],
    ['gocore-sink info 7f3k --json', 'manifest and build facts for programs'],
  ],
})

interface Args extends TargetArgs, JsonArgs {
  all?: boolean
}

export async function handler(argv: Args): Promise<void> {
  const { openTarget } = await import('../target.ts')
  using target = await openTarget(argv)
  const { manifest } = target
  const summary = manifest?.core.state === 'none' ? undefined : await summaryOf(target)
  if (argv.json)
    return writeLines(
      1,
      jsonObject({ schema: 'gocore-info', version: 1, id: target.id, manifest, report: summary }),
    )
  const look = lookOf(process.stdout)
  const sections = infoSections(fromDump({ manifest, summary }), target.label, argv.all === true)
  await page(
    (function* () {
      for (const [i, { title, list }] of sections.entries()) {
        if (i > 0) yield ''
        yield palette(look).bold(title)
        yield* facts(list, look, { indent: 2 })
      }
    })(),
    { pager: !argv.noPager },
  )
}

/** The build facts where they can be had; a core that is beyond reading leaves the manifest's facts. */
async function summaryOf(target: Target): Promise<Summary | undefined> {
  try {
    const { goroutines: _, groups: __, threads: ___, ...summary } = await target.outline()
    return summary
  } catch (error) {
    if (target.manifest) return undefined
    throw error
  }
}
