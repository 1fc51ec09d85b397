/** `info`: every recorded fact. */
import { existsSync } from 'node:fs'
import { takesNext } from '../command-line.ts'
import { isTopic } from '../debug/info-topics.ts'
import { withDump } from '../debug/place-verb.ts'
import { define } from '../define.ts'
import { dumpOrWord, targeted } from '../dump-or-word.ts'
import { type PlaceArgs, placeOptions } from '../inspect/open.ts'
import {
  binaryOptions,
  dumpPositional,
  globalOptions,
  type JsonArgs,
  jsonOption,
  type TargetArgs,
} from '../options.ts'
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
  positionals: {
    topic: {
      describe: "one of GDB's: registers, threads, locals, args, frame and others",
      complete: 'dump',
    },
    dump: dumpPositional,
    words: { describe: 'what the topic takes: names of registers, a regular expression', several: true },
  },
  options: {
    ...binaryOptions,
    all: {
      type: 'boolean',
      alias: 'a',
      describe: 'long texts too: mappings, limits, status, open files, modules',
    },
    ...placeOptions,
    ...jsonOption,
  },
  examples: [
    ['gocore-sink info', 'of the latest crash'],
    ['gocore-sink info 7f3k --json', 'manifest and build facts for programs'],
    ['gocore-sink info registers 7f3k rip rsp', 'as GDB prints them'],
    ['gocore-sink info threads', 'one line each'],
  ],
})

interface Args extends TargetArgs, JsonArgs, PlaceArgs {
  topic?: string
  words?: string[]
  all?: boolean
}

export function prepare(args: readonly string[]): string[] {
  const known = { ...builder.spec.options, ...globalOptions }
  const own: string[] = []
  const words: string[] = []
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!
    if (word.startsWith('-')) {
      own.push(word)
      if (takesNext(word, known) && i + 1 < args.length) own.push(args[++i]!)
    } else words.push(word)
  }
  const [first = ''] = words
  return [...own, ...(isTopic(first) && !existsSync(first) ? words : ['', ...words])]
}

export async function handler(given: Args): Promise<void> {
  const argv = withDump(given)
  if (argv.topic) {
    const { answerCommand } = await import('../debug/verb.ts')
    // A register's name or an expression stands where the dump is left out.
    const { dump, word } = await dumpOrWord(argv, argv.dump, argv.words?.join(' ') || undefined)
    return answerCommand(targeted(argv, dump), `info ${argv.topic} ${word ?? ''}`)
  }
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
