/** `hold`: nobody deletes or shrinks a dump until that is lifted. */
import type { Hold } from '../../archive/manifest.ts'
import { UsageError } from '../../base/errors.ts'
import { define } from '../define.ts'
import { leaseOn } from '../lease.ts'
import type { GlobalArgs } from '../options.ts'
import { sayTo } from '../render/output.ts'
import { userName } from '../user-name.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('hold')

export const builder = define({
  positionals: {
    dumps: { describe: 'ids or their beginnings', several: true, complete: 'dump' },
  },
  options: {
    reason: { type: 'string', value: 'TEXT', describe: 'why: a case, an incident, a request' },
    by: { type: 'string', value: 'NAME', describe: 'in whose name; the user who types otherwise' },
  },
  examples: [["gocore-sink hold 7f3k --reason 'case 2026-114'", 'neither rm nor gc touch it from now on']],
})

interface Args extends GlobalArgs {
  dumps: string[]
  reason?: string
  by?: string
}

export async function handler(argv: Args): Promise<void> {
  const hold: Hold = {
    by: argv.by ?? userName(),
    time: new Date().toISOString(),
    ...(argv.reason === undefined ? {} : { reason: argv.reason }),
  }
  await setHolds(argv, hold)
}

/** Puts the hold on these dumps, or lifts it where there is none to put. */
export async function setHolds(
  argv: GlobalArgs & { dumps: string[] },
  hold: Hold | undefined,
): Promise<void> {
  const { openSite } = await import('../site.ts')
  const { findDump } = await import('../find-dump.ts')
  const { Leases } = await import('../../archive/lease.ts')
  using site = openSite(argv)
  const leases = new Leases(site.store)
  for (const prefix of argv.dumps) {
    const dump = await findDump(site, prefix)
    // Nobody else writes this manifest meanwhile: a hold that is put is there.
    using _lease = await leaseOn(leases, dump.id)
    const { hold: before } = dump.manifest
    if (hold === undefined && before === undefined) throw new UsageError(`${dump.id} is not on hold.`)
    site.store.changeManifest(dump, ({ hold: _, ...rest }) => (hold === undefined ? rest : { ...rest, hold }))
    await site.refresh([dump])
    sayTo(1)(
      hold === undefined
        ? `Lifted the hold on ${dump.id}, which ${before!.by} had put on ${before!.time.slice(0, 10)}.`
        : `Put ${dump.id} on hold: neither rm nor gc touch it until gocore-sink unhold lifts that.`,
    )
  }
}
