/** `x`: memory as numbers, text or instructions. */
import { UsageError } from '../../base/errors.ts'
import { dumpIsLast } from '../debug/place-verb.ts'
import { define, wholeNumber } from '../define.ts'
import { parseSyntax, syntaxes } from '../inspect/disassemble.ts'
import {
  dlvExamine,
  dlvFormat,
  type ExamineOptions,
  examinedBytes,
  examineLines,
  parseGdbFormat,
} from '../inspect/examine.ts'
import { memoryJson } from '../inspect/json.ts'
import { type PlaceArgs, placeOptions } from '../inspect/open.ts'
import { binaryOptions, dumpPositional, type JsonArgs, jsonOption, type TargetArgs } from '../options.ts'
import { jsonObject } from '../render/json.ts'
import { writeAll, writeLines } from '../render/output.ts'
import { page } from '../render/pager.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('x')

export const builder = define({
  positionals: {
    address: { describe: 'a number, $pc, $sp or another register, a function, or an expression' },
    dump: dumpPositional,
  },
  options: {
    ...binaryOptions,
    ...placeOptions,
    gdb: {
      type: 'string',
      value: 'FORMAT',
      describe: "GDB's format: a count, one of x z d u o t a c f s i, one of b h w g: 8gx, 30i, s",
    },
    fmt: {
      type: 'string',
      value: 'FORMAT',
      describe: "Delve's format: hex, dec, oct, bin or raw; hex without it",
    },
    count: { type: 'string', value: 'N', describe: 'so many units; 1 without it', parse: wholeNumber },
    size: { type: 'string', value: 'BYTES', describe: 'of a unit: 1 to 8; 1 without it', parse: wholeNumber },
    syntax: {
      type: 'string',
      alias: 's',
      value: 'SYNTAX',
      describe: 'of instructions: go, intel, gnu; gnu without it',
      choices: syntaxes,
    },
    ...jsonOption,
  },
  examples: [
    ['gocore-sink x 0xc000012000 7f3k --gdb 8gx', 'eight words of eight bytes'],
    ["gocore-sink x '&main.items' 7f3k --gdb 3gx", 'a variable, as its words'],
    ["gocore-sink x '$pc' --gdb 30i", 'the instructions from where the latest crash was'],
    ["gocore-sink x '$sp' ./core --fmt hex --count 64", 'as examinemem of Delve'],
  ],
})

interface Args extends TargetArgs, JsonArgs, PlaceArgs {
  address: string
  gdb?: string
  fmt?: string
  count?: number
  size?: number
  syntax?: string
}

export async function handler(argv: Args): Promise<void> {
  dumpIsLast('x', 'an address', [argv.address, argv.dump], /^(?:\d+$|0x|[$&*(])/)
  const options = optionsOf(argv)
  const { openTarget } = await import('../target.ts')
  using target = await openTarget(argv)
  const { openContext } = await import('../debug/open.ts')
  const context = await openContext(target, argv)
  if (argv.json)
    return writeLines(
      1,
      jsonObject({ schema: 'gocore-memory', version: 1, id: target.id, ...memoryJson(context, options) }),
    )
  // What a program of the user's reads, it reads as it is; a terminal gets nothing that it would obey.
  if (options.style === 'dlv' && options.format === 'raw' && !process.stdout.isTTY)
    return writeAll(1, examinedBytes(context, options).bytes)
  await page(examineLines(context, options), { pager: !argv.noPager })
}

function optionsOf({ address, gdb, fmt, count, size, syntax }: Args): ExamineOptions {
  if (gdb === undefined) return dlvExamine(address, dlvFormat(fmt ?? 'hex'), count ?? 1, size ?? 1)
  if (fmt !== undefined || count !== undefined || size !== undefined)
    throw new UsageError(
      '--gdb says format, count and size at once, and goes with none of --fmt, --count and --size.',
    )
  return parseGdbFormat(gdb, address, syntax === undefined ? 'gnu' : parseSyntax(syntax))
}
