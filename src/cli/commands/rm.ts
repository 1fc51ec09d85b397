/** `rm`: removes dumps. */
import { formatHold } from '../../archive/manifest.ts'
import type { DumpEntry } from '../../archive/store.ts'
import { UsageError } from '../../base/errors.ts'
import { confirm } from '../confirm.ts'
import { define } from '../define.ts'
import { leaseOn } from '../lease.ts'
import type { GlobalArgs } from '../options.ts'
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

export async function handler(argv: Args): Promise<void> {
  const { openSite } = await import('../site.ts')
  const { findDump } = await import('../find-dump.ts')
  const { Leases } = await import('../../archive/lease.ts')
  const { noteInJournal } = await import('../../daemon/index.ts')
  using site = openSite(argv)
  const leases = new Leases(site.store)
  const found = new Map<string, DumpEntry>()
  for (const prefix of argv.dumps) {
    const dump = await findDump(site, prefix)
    found.set(dump.id, dump)
  }
  const dumps = [...found.values()]
  const refusePinned = (asked: readonly DumpEntry[]): void => {
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
  for (const { id, manifest } of dumps)
    if (manifest.hold) throw new UsageError(`Refused to remove ${id}: ${formatHold(manifest.hold)}.`)
  const say = sayTo(1)
  const total = dumps.reduce((sum, dump) => sum + dump.manifest.core.stored_size, 0)
  if (!argv.yes && process.stdin.isTTY) {
    for (const { id, manifest } of dumps)
      say(
        `${id}  ${formatTime(Date.parse(manifest.time))}  ${programName(manifest, undefined)}  ${manifest.signal.name}`,
      )
    if (
      !(await confirm(
        `Remove ${dumps.length === 1 ? 'this dump' : `these ${dumps.length} dumps`}, ${formatSize(total)}?`,
      ))
    )
      return say('Nothing was removed.')
  }
  const removed: DumpEntry[] = []
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
