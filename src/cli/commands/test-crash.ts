/** `test-crash`: one real crash, followed from the kernel to the catalog. */
import { define, wholeNumber } from '../define.ts'
import type { GlobalArgs, JsonArgs } from '../options.ts'
import { jsonOption } from '../options.ts'
import { Exit } from '../render/exit.ts'
import { jsonObject } from '../render/json.ts'
import { sayTo, writeLines } from '../render/output.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('test-crash')

export const builder = define({
  options: {
    timeout: {
      type: 'string',
      value: 'SECONDS',
      describe: 'how long each step may take (30)',
      parse: wholeNumber,
    },
    ...jsonOption,
  },
  examples: [['gocore-sink test-crash', 'does a dump of this machine arrive, and how fast?']],
})

interface Args extends GlobalArgs, JsonArgs {
  timeout?: number
}

export async function handler(argv: Args): Promise<void> {
  const { openSite } = await import('../site.ts')
  const { testCrash } = await import('../../install/index.ts')
  using site = openSite(argv)
  const { config, place: store } = site
  const timeout = argv.timeout === undefined ? {} : { timeoutMs: argv.timeout * 1000 }
  const result = await testCrash({ config, store, ...timeout }, argv.json ? () => {} : sayTo(1))
  if (argv.json) writeLines(1, jsonObject({ schema: 'gocore-test-crash', version: 1, ...result }))
  else if (result.ok && result.id)
    sayTo(1)(`It works. To look at it: gocore-sink show ${result.id.slice(0, 6)}`)
  if (!result.ok) process.exitCode = Exit.findings
}
