/** `uninstall`: removes the recorder and restores what was before. */
import { define } from '../define.ts'
import type { GlobalArgs } from '../options.ts'
import { sayTo } from '../render/output.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('uninstall')

export const builder = define({
  options: {
    'dry-run': { type: 'boolean', alias: 'n', describe: 'print every step and change nothing' },
    prefix: {
      type: 'string',
      value: 'DIR',
      describe: 'where it was installed, if not /usr/local',
      complete: 'directory',
    },
    root: {
      type: 'string',
      value: 'DIR',
      describe: 'the directory that was filled instead of /',
      complete: 'directory',
    },
    purge: {
      type: 'boolean',
      describe: 'also remove the archive with all dumps, and a changed configuration',
    },
  },
  examples: [['gocore-sink uninstall --dry-run', 'what it would do']],
})

interface Args extends GlobalArgs {
  dryRun?: boolean
  prefix?: string
  root?: string
  purge?: boolean
}

export async function handler(argv: Args): Promise<void> {
  const { uninstall } = await import('../../install/index.ts')
  const { prefix, root } = argv
  await uninstall(
    {
      ...(prefix === undefined ? {} : { prefix }),
      ...(root === undefined ? {} : { root }),
      dryRun: argv.dryRun === true,
      purge: argv.purge === true,
    },
    sayTo(1),
  )
}
