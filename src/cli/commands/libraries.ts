/** `libraries`: the shared libraries of a process. */
import { define } from '../define.ts'
import { librariesJson } from '../inspect/json.ts'
import { libraryLines } from '../inspect/names.ts'
import { binaryOptions, dumpPositional, type JsonArgs, jsonOption, type TargetArgs } from '../options.ts'
import { jsonObject } from '../render/json.ts'
import { writeLines } from '../render/output.ts'
import { page } from '../render/pager.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('libraries')

export const builder = define({
  positionals: { dump: dumpPositional },
  options: { ...binaryOptions, ...jsonOption },
  examples: [['gocore-sink libraries', 'of the latest crash']],
})

export async function handler(argv: TargetArgs & JsonArgs): Promise<void> {
  const { openTarget } = await import('../target.ts')
  using target = await openTarget(argv)
  const { openContext } = await import('../debug/open.ts')
  const context = await openContext(target)
  if (!argv.json) return await page(libraryLines(context), { pager: !argv.noPager })
  const document = { schema: 'gocore-libraries', version: 1, id: target.id }
  writeLines(1, jsonObject({ ...document, ...librariesJson(context) }))
}
