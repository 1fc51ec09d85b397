/** `daemon`: the service. */
import { define } from '../define.ts'
import type { GlobalArgs } from '../options.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('daemon')

export const builder = define({
  examples: [['gocore-sink daemon', 'in the foreground, as systemd starts it']],
})

export async function handler(argv: GlobalArgs): Promise<void> {
  const { configPath } = await import('../site.ts')
  const { runDaemon } = await import('../../daemon/index.ts')
  await runDaemon({ configPath: configPath(argv), archive: argv.archive })
}
