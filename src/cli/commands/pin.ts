/** `pin`: keep a dump whatever the retention rules say. */
import { define } from '../define.ts'
import { dumpPositional, type GlobalArgs } from '../options.ts'
import { sayTo } from '../render/output.ts'
import { userName } from '../user-name.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('pin')

export const builder = define({
  positionals: { dump: { ...dumpPositional, describe: 'id or its beginning; without it, the latest dump' } },
  options: {
    reason: { type: 'string', value: 'TEXT', describe: 'why it is kept, for those who come later' },
    remove: { type: 'boolean', describe: 'unpin it, as gocore-sink unpin does' },
  },
  examples: [["gocore-sink pin 7f3k --reason 'incident 812'", 'keep it']],
})

interface Args extends GlobalArgs {
  dump?: string
  reason?: string
  remove?: boolean
}

export async function handler(argv: Args): Promise<void> {
  const { openSite } = await import('../site.ts')
  const { findDump } = await import('../find-dump.ts')
  using site = openSite(argv)
  const dump = await findDump(site, argv.dump)
  if (argv.remove) site.store.unpin(dump)
  else
    site.store.pin(dump, {
      by: userName(),
      ...(argv.reason === undefined ? {} : { reason: argv.reason }),
      time: new Date().toISOString(),
    })
  await site.refresh([dump])
  sayTo(1)(
    argv.remove ? `Unpinned ${dump.id}: retention may remove it.` : `Pinned ${dump.id}: retention leaves it.`,
  )
}
