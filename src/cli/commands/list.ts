/** `list`: source lines around a place. */
import { define, wholeNumber } from '../define.ts'
import { dumpOrWord, targeted } from '../dump-or-word.ts'
import { sourceJson } from '../inspect/json.ts'
import { listedPlace, listLines } from '../inspect/list.ts'
import { type PlaceArgs, placeOptions, type SourceArgs, sourceOptions } from '../inspect/open.ts'
import { binaryOptions, dumpPositional, type JsonArgs, jsonOption, type TargetArgs } from '../options.ts'
import { jsonObject } from '../render/json.ts'
import { writeLines } from '../render/output.ts'
import { page } from '../render/pager.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('list')

export const builder = define({
  positionals: {
    dump: dumpPositional,
    place: { describe: 'the same as --location' },
  },
  options: {
    ...binaryOptions,
    ...placeOptions,
    location: {
      type: 'string',
      alias: 'l',
      value: 'FUNCTION|FILE:LINE|LINE|*ADDRESS',
      describe: 'around this place, not around the line of the frame',
    },
    lines: {
      type: 'string',
      alias: 'n',
      value: 'N',
      describe: 'so many before and after; 5 without it',
      parse: wholeNumber,
    },
    ...sourceOptions,
    ...jsonOption,
  },
  examples: [
    ['gocore-sink list', 'where the latest crash was'],
    ['gocore-sink list 7f3k -l main.main', 'a function'],
    ['gocore-sink list 7f3k --source-map /build/api=$HOME/src/api', 'of a program that was built elsewhere'],
    ['gocore-sink list 7f3k --checkout ~/src/api', 'as the commit has it that the program was built from'],
  ],
})

interface Args extends TargetArgs, JsonArgs, PlaceArgs, SourceArgs {
  location?: string
  place?: string
  lines?: number
}

export async function handler(given: Args): Promise<void> {
  const { dump, word } = await dumpOrWord(given, given.dump, given.place)
  const argv = targeted(given, dump)
  const location = argv.location ?? word ?? ''
  const { openTarget } = await import('../target.ts')
  using target = await openTarget(argv)
  const { openContext } = await import('../debug/open.ts')
  const context = await openContext(target, argv)
  const count = argv.lines ?? 5
  const around = { before: count, after: count }
  const place = listedPlace(context, location)
  await context.sources.prepare?.(place.file)
  if (!argv.json) return await page(listLines(context, location, around), { pager: !argv.noPager })
  const source = sourceJson(context, location, count)
  writeLines(1, jsonObject({ schema: 'gocore-source', version: 1, id: target.id, ...source }))
}
