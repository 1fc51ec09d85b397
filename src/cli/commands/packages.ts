/** `packages`: the Go packages that have code in a program. */
import { define } from '../define.ts'
import { nameLines, packages, parseFilter } from '../inspect/names.ts'
import { dumpPositional, exeOption, type JsonArgs, jsonOption, type TargetArgs } from '../options.ts'
import { jsonDocument } from '../render/json.ts'
import { writeLines } from '../render/output.ts'
import { page } from '../render/pager.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('packages')

export const builder = define({
  positionals: { dump: dumpPositional },
  options: {
    ...exeOption,
    match: { type: 'string', alias: 'e', value: 'REGEX', describe: 'only those that match' },
    ...jsonOption,
  },
  examples: [['gocore-sink packages 7f3k -e http', 'those whose name has http in it']],
})

interface Args extends TargetArgs, JsonArgs {
  match?: string
}

export async function handler(argv: Args): Promise<void> {
  const filter = parseFilter(argv.match ?? '')
  const { openTarget } = await import('../target.ts')
  using target = await openTarget(argv)
  const { openState } = await import('../debug/open.ts')
  const names = packages(await (await openState(target)).inspect(), filter)
  if (!argv.json) return page(nameLines(names), { pager: !argv.noPager })
  writeLines(1, jsonDocument({ schema: 'gocore-packages', version: 1, id: target.id }, 'packages', names))
}
