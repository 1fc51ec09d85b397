/** `disass`: the machine code of a function, a frame or a range, with the instruction that faulted. */

import { UsageError } from '../../base/errors.ts'
import { define } from '../define.ts'
import { dumpOrWord, targeted } from '../dump-or-word.ts'
import { type DisassembleOptions, disassemblyLines, parseSyntax, syntaxes } from '../inspect/disassemble.ts'
import { disassemblyJson } from '../inspect/json.ts'
import { type PlaceArgs, placeOptions, type SourceArgs, sourceOptions } from '../inspect/open.ts'
import { binaryOptions, dumpPositional, type JsonArgs, jsonOption, type TargetArgs } from '../options.ts'
import { jsonDocument } from '../render/json.ts'
import { writeLines } from '../render/output.ts'
import { page } from '../render/pager.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('disass')

export const builder = define({
  positionals: {
    dump: dumpPositional,
    place: { describe: 'the same as --location' },
  },
  options: {
    ...binaryOptions,
    ...placeOptions,
    ...sourceOptions,
    location: {
      type: 'string',
      alias: 'l',
      value: 'FUNCTION|FILE:LINE|*ADDRESS',
      describe: 'this function, not the one of the frame',
    },
    range: {
      type: 'string',
      alias: 'a',
      value: 'START,END',
      describe: 'the instructions from START to before END: addresses, or functions with + a number',
    },
    syntax: {
      type: 'string',
      alias: 's',
      value: 'SYNTAX',
      describe:
        'write as go tool objdump does, as Intel does, or as GNU does: go, intel, gnu; intel without it',
      choices: syntaxes,
    },
    plain: { type: 'boolean', describe: 'without lines of source between the instructions' },
    ...jsonOption,
  },
  examples: [
    ['gocore-sink disass', 'of the latest crash, the function that crashed'],
    ['gocore-sink disass 7f3k -l main.main -s go', "a function, in Go's own syntax"],
    ['gocore-sink disass ./core -a 0x47a740,0x47a760', 'a range of a core file'],
  ],
})

interface Args extends TargetArgs, JsonArgs, PlaceArgs, SourceArgs {
  location?: string
  place?: string
  range?: string
  syntax?: string
  plain?: boolean
}

export async function handler(given: Args): Promise<void> {
  const { dump, word } = await dumpOrWord(given, given.dump, given.place)
  const argv = targeted(given, dump)
  const location = argv.location ?? word
  const { openTarget } = await import('../target.ts')
  using target = await openTarget(argv)
  const { openContext } = await import('../debug/open.ts')
  const context = await openContext(target, argv)
  const options = optionsOf({ ...argv, ...(location === undefined ? {} : { location }) })
  if (!argv.json) return await page(disassemblyLines(context, options), { pager: !argv.noPager })
  const { instructions, ...head } = disassemblyJson(context, options)
  const document = { schema: 'gocore-disassembly', version: 1, id: target.id, ...head }
  writeLines(1, jsonDocument(document, 'instructions', instructions as readonly unknown[]))
}

function optionsOf({ location, range, syntax, plain }: Args): DisassembleOptions {
  const ends = range?.split(',')
  if (ends && ends.length !== 2)
    throw new UsageError(`--range takes START,END, not ${JSON.stringify(range)}.`)
  return {
    syntax: syntax === undefined ? 'intel' : parseSyntax(syntax),
    ...(location === undefined ? {} : { location }),
    ...(ends ? { range: [ends[0]!, ends[1]!] } : {}),
    ...(plain ? { plain } : {}),
  }
}
