/** `regs`: the registers of a frame or a thread. */
import { define } from '../define.ts'
import { registersJson } from '../inspect/json.ts'
import { type PlaceArgs, placeOptions } from '../inspect/open.ts'
import { registerLines } from '../inspect/registers.ts'
import { binaryOptions, dumpPositional, type JsonArgs, jsonOption, type TargetArgs } from '../options.ts'
import { jsonObject } from '../render/json.ts'
import { writeLines } from '../render/output.ts'
import { page } from '../render/pager.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('regs')

export const builder = define({
  positionals: { dump: dumpPositional },
  options: {
    ...binaryOptions,
    ...placeOptions,
    all: { type: 'boolean', alias: 'a', describe: 'floating point and vector registers too' },
    style: {
      type: 'string',
      value: 'STYLE',
      describe: 'as Delve or as GDB lays them out: dlv, gdb; dlv without it',
      choices: ['dlv', 'gdb'],
    },
    ...jsonOption,
  },
  examples: [
    ['gocore-sink regs', 'of the latest crash, those of the frame that crashed'],
    ['gocore-sink regs ./core --thread 4711 -a', 'all of a thread'],
  ],
})

interface Args extends TargetArgs, JsonArgs, PlaceArgs {
  all?: boolean
  style?: 'dlv' | 'gdb'
}

export async function handler(argv: Args): Promise<void> {
  const { openTarget } = await import('../target.ts')
  using target = await openTarget(argv)
  const { openContext } = await import('../debug/open.ts')
  const context = await openContext(target, argv)
  if (!argv.json) {
    const lines = registerLines(context, { all: argv.all === true, style: argv.style ?? 'dlv' })
    return await page(lines, { pager: !argv.noPager })
  }
  const registers = registersJson(context, argv.all === true)
  writeLines(1, jsonObject({ schema: 'gocore-registers', version: 1, id: target.id, ...registers }))
}
