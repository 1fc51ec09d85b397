/** `gc`: retention now. */
import type { ArchiveStore, DumpRef } from '../../archive/store.ts'
import type { GcAction } from '../../daemon/index.ts'
import { define } from '../define.ts'
import { type GlobalArgs, type JsonArgs, jsonOption } from '../options.ts'
import { fromDump, printable } from '../render/escape.ts'
import { Exit } from '../render/exit.ts'
import { jsonDocument } from '../render/json.ts'
import { sayTo, writeLines } from '../render/output.ts'
import { startProgress } from '../render/progress.ts'
import { lookOf, palette } from '../render/style.ts'
import { table } from '../render/table.ts'
import { count } from '../render/text.ts'
import { formatSize } from '../render/units.ts'
import { userName } from '../user-name.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('gc')

export const builder = define({
  options: {
    'dry-run': {
      type: 'boolean',
      alias: 'n',
      describe: 'print what would be removed or shrunk, and why, and do nothing',
    },
    ...jsonOption,
  },
  examples: [['gocore-sink gc --dry-run', 'what would go, and by which rule']],
})

interface Args extends GlobalArgs, JsonArgs {
  dryRun?: boolean
}

export async function handler(argv: Args): Promise<void> {
  const { openSite } = await import('../site.ts')
  const { openForWriting } = await import('../catalog-access.ts')
  const { eventOf, noteInJournal, runGc, sentenceOf, shrinker, unreadSentence } = await import(
    '../../daemon/index.ts'
  )
  const { presentStore } = await import('../find-dump.ts')
  const { Leases, leaseBeat } = await import('../../archive/lease.ts')
  using site = openSite(argv)
  const { config } = site
  const store = presentStore(site)
  using progress = startProgress('reading the archive', { format: n => `${n} dumps` })
  const dryRun = argv.dryRun === true
  const writer = dryRun ? undefined : openForWriting(site)
  const leases = new Leases(store)
  // A core may take longer to shrink than others wait for a sign of life.
  const beat = setInterval(() => leases.beat(), leaseBeat).unref()
  const result = await runGc({
    store,
    catalog: writer ?? (await site.catalog()),
    policy: config.retention,
    dryRun,
    leases,
    shrink: shrinker(store, leases, { analysis: config.analysis, redact: config.redact }),
    onUnlisted: (_, error) => sayTo(2)(`${error.message}; going on without what lies there`),
    onProgress: (done, of) => progress.update(done, of),
  })
  clearInterval(beat)
  writer?.close()
  const { actions, freed, kept, pinned, held } = result
  const unread = unreadSentence(result.unread)
  if (unread !== undefined) sayTo(2)(`${printable(unread)}.`)
  if (!dryRun) await site.refresh(shrunkDumps(store, actions))
  if (!dryRun)
    for (const done of actions)
      if (done.kind !== 'leftover' && done.failed === undefined)
        noteInJournal(
          eventOf[done.action],
          `${sentenceOf(done)} (gc by ${userName()})`,
          done.kind === 'dump' ? { GOCORE_SINK_ID: done.name } : {},
        )
  if (argv.json)
    return writeLines(
      1,
      jsonDocument(
        { schema: 'gocore-gc', version: 1, dryRun, freed, kept, pinned, held },
        'actions',
        actions,
      ),
    )
  const look = lookOf(process.stdout)
  const paint = palette(look)
  writeLines(
    1,
    table(
      fromDump(actions),
      [
        { title: dryRun ? 'WOULD' : 'DONE', cell: ({ action, kind }) => `${action} ${kind}` },
        { title: 'NAME', cell: action => action.name, shrink: 2, least: 12, style: () => paint.name },
        { title: 'SIZE', cell: action => formatSize(action.bytes), align: 'right' },
        {
          title: 'WHY',
          cell: ({ failed, kept, reason }) =>
            failed === undefined ? reason : `${kept ? 'KEPT' : 'FAILED'}: ${failed}`,
          shrink: 1,
          least: 20,
        },
      ],
      look,
    ),
  )
  const done =
    actions.length === 0 ? 'Nothing is due' : `${dryRun ? 'Would free' : 'Freed'} ${formatSize(freed)}`
  const onHold = held === 0 ? '' : ` and ${held} on hold`
  sayTo(1)(`${done}; ${count(kept, 'dump')} kept, ${pinned} of them pinned${onHold}.`)
  if (actions.some(({ failed, kept }) => failed && !kept)) process.exitCode = Exit.failure
}

/** Found by their ids alone: what was deleted meanwhile is no more. */
const shrunkDumps = (store: ArchiveStore, actions: readonly GcAction[]): DumpRef[] =>
  actions.flatMap(({ action, name, failed }) =>
    action === 'shrink' && failed === undefined ? store.find(name) : [],
  )
