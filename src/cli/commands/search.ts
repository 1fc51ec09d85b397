/** `search`: crashes by words in their messages and frames. */
import { NotFoundError } from '../../base/errors.ts'
import { define } from '../define.ts'
import { catalogFilter } from '../filter.ts'
import { type FilterArgs, filterOptions, type GlobalArgs, type JsonArgs, jsonOption } from '../options.ts'
import { cause, idWidth } from '../render/crash-table.ts'
import { fromDump } from '../render/escape.ts'
import { jsonDocument } from '../render/json.ts'
import { writeLines } from '../render/output.ts'
import { page } from '../render/pager.ts'
import { hitLines } from '../render/search-hits.ts'
import { lookOf } from '../render/style.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('search')

const { text: _, ...filters } = filterOptions

export const builder = define({
  positionals: {
    words: { describe: 'words that must all occur; "a phrase" in quotes stays together', several: true },
  },
  options: { ...filters, ...jsonOption },
  examples: [
    ['gocore-sink search nil map', 'in messages and frames'],
    ['gocore-sink search cache.go --since 1w', 'by file'],
    ["gocore-sink search 'cache.(*Cache).put'", 'by function'],
  ],
})

interface Args extends GlobalArgs, FilterArgs, JsonArgs {
  words: string[]
}

const defaultLimit = 50

export async function handler(argv: Args): Promise<void> {
  const { noteAbsence, openSite } = await import('../site.ts')
  using site = openSite(argv)
  noteAbsence(site)
  const words = argv.words.join(' ')
  const limit = argv.limit ?? (argv.json ? undefined : defaultLimit)
  const hits = (await site.catalog()).search(words, {
    ...catalogFilter(argv),
    ...(limit === undefined ? {} : { limit }),
  })
  if (argv.json) writeLines(1, jsonDocument({ schema: 'gocore-search', version: 1, words }, 'crashes', hits))
  else if (hits.length > 0)
    await page(
      hitLines(fromDump(hits), lookOf(process.stdout), { idWidth: idWidth(hits.map(hit => hit.id)), cause }),
      {
        pager: !argv.noPager,
      },
    )
  if (hits.length === 0)
    throw new NotFoundError(`No crash in ${site.config.archive} mentions ${JSON.stringify(words)}.`)
  if (!argv.json && argv.limit === undefined && hits.length === defaultLimit)
    process.stderr.write(`(the latest ${defaultLimit}; --limit N shows more)\n`)
}
