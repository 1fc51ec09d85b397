/** `packages` and `sources`: names that a program's code tells of, those that match. */
import { type Builder, define } from '../define.ts'
import { dumpOrWord, neither, targeted } from '../dump-or-word.ts'
import { binaryOptions, dumpPositional, type JsonArgs, jsonOption, type TargetArgs } from '../options.ts'
import { parsePattern } from '../pattern.ts'
import { Exit } from '../render/exit.ts'
import { jsonDocument } from '../render/json.ts'
import { writeLines } from '../render/output.ts'
import { page } from '../render/pager.ts'
import { entry } from '../verbs.ts'
import type { InspectContext } from './context.ts'
import { nameLines } from './names.ts'

interface Args extends TargetArgs, JsonArgs {
  match?: string
  regex?: string
}

/** `name`: of the verb, and of the list in its JSON. */
export function matchVerb(
  name: string,
  list: (context: InspectContext, filter: RegExp) => string[],
): { command: string; describe: string; builder: Builder; handler(argv: Args): Promise<void> } {
  return {
    ...entry(name),
    builder: define({
      positionals: {
        dump: dumpPositional,
        regex: { describe: 'those that match this regular expression' },
      },
      options: {
        ...binaryOptions,
        match: { type: 'string', alias: 'e', value: 'REGEX', describe: 'only those that match' },
        ...jsonOption,
      },
      examples: [[`gocore-sink ${name} 7f3k http`, 'those whose name has http in it']],
    }),
    async handler(argv) {
      const { dump, word, lone } = await dumpOrWord(argv, argv.dump, argv.regex)
      const pattern = argv.match ?? word
      const filter = parsePattern(pattern ?? '')
      const { openTarget } = await import('../target.ts')
      using target = await openTarget(targeted(argv, dump))
      const { openContext } = await import('../debug/open.ts')
      const names = list(await openContext(target), filter)
      if (lone && names.length === 0) throw neither(word!, name.replace(/s$/, ''))
      if (pattern !== undefined && names.length === 0) process.exitCode = Exit.notFound
      if (!argv.json) return await page(nameLines(names), { pager: !argv.noPager })
      writeLines(1, jsonDocument({ schema: `gocore-${name}`, version: 1, id: target.id }, name, names))
    },
  }
}
