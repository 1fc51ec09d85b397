/** `rm`: removes dumps. */
import { idPattern } from '../../archive/layout.ts'
import type { DumpEntry, DumpRef } from '../../archive/store.ts'
import { reasonOf, UsageError } from '../../base/errors.ts'
import { confirm } from '../confirm.ts'
import { define } from '../define.ts'
import { leaseOn } from '../lease.ts'
import type { GlobalArgs } from '../options.ts'
import { printable } from '../render/escape.ts'
import { sayTo } from '../render/output.ts'
import { programName } from '../render/program.ts'
import { formatSize, formatTime } from '../render/units.ts'
import { userName } from '../user-name.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('rm')

export const builder = define({
  positionals: { dumps: { describe: 'ids or their beginnings', several: true, complete: 'dump' } },
  options: { yes: { type: 'boolean', alias: 'y', describe: "don't ask" } },
  examples: [
    ['gocore-sink rm 7f3k', 'one'],
    ['gocore-sink rm -y $(gocore-sink ls -q --exe dev --until 1w)', 'many'],
  ],
})

interface Args extends GlobalArgs {
  dumps: string[]
  yes?: boolean
}

/** One whose manifest is damaged has none, and the reason in its place. */
type Doomed = DumpRef & (Pick<DumpEntry, 'manifest'> | { readonly error: Error })

export async function handler(argv: Args): Promise<void> {
  const { openSite } = await import('../site.ts')
  const { damagedDumps, findDump } = await import('../find-dump.ts')
  const { Leases } = await import('../../archive/lease.ts')
  const { noteInJournal } = await import('../../daemon/index.ts')
  using site = openSite(argv)
  const leases = new Leases(site.store)
  const found = new Map<string, Doomed>()
  for (const prefix of argv.dumps) {
    const [damaged] = idPattern.test(prefix) ? damagedDumps(site, prefix) : []
    const dump = damaged ?? (await findDump(site, prefix))
    found.set(dump.id, dump)
  }
  const dumps = [...found.values()]
  const refusePinned = (asked: readonly DumpRef[]): void => {
    const pins = site.store.readPins()
    const pinned = asked.filter(dump => pins.has(dump.id))
    if (pinned.length === 0) return
    const why = pins.get(pinned[0]!.id)!
    throw new UsageError(
      `Refused to remove ${pinned.map(dump => dump.id).join(', ')}: pinned${why.by ? ` by ${why.by}` : ''}${why.reason ? ` (${why.reason})` : ''}; gocore-sink unpin ${pinned[0]!.id} allows it.`,
    )
  }
  refusePinned(dumps)
  // Asked before anything is removed; the archive itself refuses too.
  for (const dump of dumps) {
    const held = site.store.whyHeld(dump)
    if (held !== undefined) throw new UsageError(`Refused to remove ${dump.id}: ${held}.`)
  }
  const say = sayTo(1)
  const total = dumps.reduce(
    (sum, dump) => sum + ('manifest' in dump ? dump.manifest.core.stored_size : 0),
    0,
  )
  if (!argv.yes && process.stdin.isTTY) {
    for (const dump of dumps)
      say(
        'manifest' in dump
          ? `${dump.id}  ${formatTime(Date.parse(dump.manifest.time))}  ${programName(dump.manifest, undefined)}  ${dump.manifest.signal.name}`
          : `${dump.id}  ${printable(reasonOf(dump.error))}`,
      )
    if (
      !(await confirm(
        `Remove ${dumps.length === 1 ? 'this dump' : `these ${dumps.length} dumps`}, ${formatSize(total)}?`,
      ))
    )
      return say('Nothing was removed.')
  }
  const removed: DumpRef[] = []
  try {
    for (const dump of dumps) {
      using _lease = await leaseOn({ take: id => leases.takeToDelete(id) }, dump.id)
      // While the question waited, or another dump went, somebody may have pinned it.
      if (site.store.isPinned(dump.id)) refusePinned([dump])
      site.store.remove(dump)
      removed.push(dump)
      say(`Removed ${dump.id}.`)
      noteInJournal('dump-deleted', `Deleted dump ${dump.id}: rm by ${userName()}`, {
        GOCORE_SINK_ID: dump.id,
      })
    }
  } finally {
    await site.refresh(removed)
  }
}
