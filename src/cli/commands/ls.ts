/** `ls`: the crashes, newest first. */

import { NotFoundError } from '../../base/errors.ts'
import type { CrashFilter, CrashRow } from '../../catalog/catalog.ts'
import { define } from '../define.ts'
import { catalogFilter, describeFilter } from '../filter.ts'
import { nothingYet } from '../find-dump.ts'
import { type FilterArgs, filterOptions, type GlobalArgs, type JsonArgs, jsonOption } from '../options.ts'
import { crashTable, idWidth } from '../render/crash-table.ts'
import { fromDump } from '../render/escape.ts'
import { jsonDocument } from '../render/json.ts'
import { writeLines } from '../render/output.ts'
import { page } from '../render/pager.ts'
import { lookOf } from '../render/style.ts'
import { entry } from '../verbs.ts'
import { allWithWords } from '../words.ts'

export const { command, describe } = entry('ls')

export const builder = define({
  options: {
    ...filterOptions,
    reverse: { type: 'boolean', alias: 'r', describe: 'oldest first' },
    quiet: { type: 'boolean', alias: 'q', describe: 'ids alone, one a line' },
    watch: { type: 'boolean', alias: 'w', describe: 'go on, and print crashes as they come' },
    ...jsonOption,
  },
  examples: [
    ['gocore-sink ls --since 1h', 'the last hour'],
    ['gocore-sink ls --exe api --signal SEGV --json', 'segmentation faults of api, for programs'],
    ['gocore-sink ls -w', 'as they come'],
  ],
})

interface Args extends GlobalArgs, FilterArgs, JsonArgs {
  reverse?: boolean
  quiet?: boolean
  watch?: boolean
}

/** Rows of a table unless --limit says otherwise; what is left out is told. */
const defaultLimit = 200

export async function handler(argv: Args): Promise<void> {
  const { noteAbsence, openSite } = await import('../site.ts')
  const filter: CrashFilter = { ...catalogFilter(argv), ...(argv.reverse ? { reverse: true } : {}) }
  if (argv.watch) {
    const { watch } = await import('../watch.ts')
    return watch(filter, argv)
  }
  using site = openSite(argv)
  noteAbsence(site)
  const catalog = await site.catalog()
  const whole = argv.json || argv.quiet || argv.limit !== undefined
  const rows = catalog.list(whole ? filter : { ...filter, limit: defaultLimit + 1 })
  const shown = whole ? rows : rows.slice(0, defaultLimit)
  await print(argv.quiet ? shown : await allWithWords(site, shown), argv)
  if (shown.length === 0)
    throw Object.keys(filter).length === 0
      ? nothingYet(site.config.archive)
      : new NotFoundError(`No crash in ${site.config.archive} matches ${describeFilter(argv)}.`)
  if (rows.length > shown.length)
    process.stderr.write(`(the ${argv.reverse ? 'first' : 'latest'} ${defaultLimit}; --limit N shows more)\n`)
}

async function print(rows: readonly CrashRow[], argv: Args): Promise<void> {
  if (argv.json) return writeLines(1, crashList(rows))
  if (rows.length === 0) return
  if (argv.quiet)
    return writeLines(
      1,
      rows.map(row => row.id),
    )
  await page(
    crashTable(fromDump(rows), lookOf(process.stdout), {
      idWidth: idWidth(rows.map(row => row.id)),
    }),
    {
      pager: !argv.noPager,
    },
  )
}

/** The document of `ls --json`. */
export function* crashList(rows: Iterable<CrashRow>): Generator<string> {
  yield* jsonDocument({ schema: 'gocore-list', version: 1 }, 'crashes', rows)
}
