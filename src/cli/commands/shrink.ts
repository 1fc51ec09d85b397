/** `shrink`: makes mini-cores by hand. */
import { Leases, leaseBeat } from '../../archive/lease.ts'
import type { DumpEntry } from '../../archive/store.ts'
import { confirm } from '../confirm.ts'
import { define } from '../define.ts'
import type { GlobalArgs } from '../options.ts'
import { printable } from '../render/escape.ts'
import { Exit } from '../render/exit.ts'
import { sayTo } from '../render/output.ts'
import { formatSize } from '../render/units.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('shrink')

export const builder = define({
  positionals: { dumps: { describe: 'ids or their beginnings', several: true, complete: 'dump' } },
  options: {
    yes: { type: 'boolean', alias: 'y', describe: "don't ask" },
    reason: { type: 'string', value: 'TEXT', describe: 'why, for those who come later' },
  },
  examples: [
    ['gocore-sink shrink 7f3k', 'one'],
    ['gocore-sink shrink -y $(gocore-sink ls -q --exe dev --until 1w)', 'many'],
  ],
})

interface Args extends GlobalArgs {
  dumps: string[]
  yes?: boolean
  reason?: string
}

export async function handler(argv: Args): Promise<void> {
  const { openSite } = await import('../site.ts')
  const { findDump } = await import('../find-dump.ts')
  const { shrinker } = await import('../../daemon/index.ts')
  using site = openSite(argv)
  const found = new Map<string, DumpEntry>()
  for (const prefix of argv.dumps) {
    const dump = await findDump(site, prefix)
    found.set(dump.id, dump)
  }
  const dumps = [...found.values()]
  const say = sayTo(1)
  const what = dumps.length === 1 ? 'this dump' : `these ${dumps.length} dumps`
  const question = `Keep of ${what} what its report and stacks are made of, and give up the rest of its memory for good?`
  if (!argv.yes && process.stdin.isTTY && !(await confirm(question))) return say('Nothing was changed.')
  const leases = new Leases(site.store)
  const { analysis, redact } = site.config
  const beat = setInterval(() => leases.beat(), leaseBeat).unref()
  const shrink = shrinker(site.store, leases, { analysis, redact, asked: true })
  for (const dump of dumps) {
    const outcome = await shrink(dump, argv.reason ?? 'asked for by hand')
    await site.refresh([dump])
    if (outcome.state === 'shrunk')
      say(`Shrunk ${dump.id}: ${formatSize(outcome.from)} stored, now ${formatSize(outcome.to)}.`)
    else {
      sayTo(2)(`Left ${dump.id} as it is: ${printable(outcome.reason)}.`)
      process.exitCode = Exit.failure
    }
  }
  clearInterval(beat)
}
