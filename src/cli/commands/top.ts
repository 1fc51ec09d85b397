/** `top`: crashes that are alike, most frequent first. */
import { NotFoundError } from '../../base/errors.ts'
import { define } from '../define.ts'
import { catalogFilter } from '../filter.ts'
import { type FilterArgs, filterOptions, type GlobalArgs, type JsonArgs, jsonOption } from '../options.ts'
import { fromDump } from '../render/escape.ts'
import { jsonDocument } from '../render/json.ts'
import { writeLines } from '../render/output.ts'
import { page } from '../render/pager.ts'
import { signatureTable } from '../render/signature-table.ts'
import { lookOf } from '../render/style.ts'
import { entry } from '../verbs.ts'
import { signaturesWithWords } from '../words.ts'

export const { command, describe } = entry('top')

export const builder = define({
  options: { ...filterOptions, ...jsonOption },
  examples: [
    ['gocore-sink top --since 1d', 'what crashes most these days'],
    ['gocore-sink top --exe api -n 5', 'the five most frequent deaths of api'],
  ],
})

interface Args extends GlobalArgs, FilterArgs, JsonArgs {}

export async function handler(argv: Args): Promise<void> {
  const { noteAbsence, openSite } = await import('../site.ts')
  using site = openSite(argv)
  noteAbsence(site)
  const filter = catalogFilter(argv)
  const catalog = await site.catalog()
  const counted = catalog.top(argv.json || filter.limit !== undefined ? filter : { ...filter, limit: 50 })
  const rows = await signaturesWithWords(site, catalog, counted)
  if (argv.json) writeLines(1, jsonDocument({ schema: 'gocore-top', version: 1 }, 'signatures', rows))
  else await page(signatureTable(fromDump(rows), lookOf(process.stdout)), { pager: !argv.noPager })
  if (rows.length === 0) throw new NotFoundError(`No analysed crash in ${site.config.archive} matches.`)
}
