/** `install`: puts the recorder in place. */
import { define } from '../define.ts'
import type { GlobalArgs } from '../options.ts'
import { sayTo } from '../render/output.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('install')

export const builder = define({
  options: {
    'dry-run': { type: 'boolean', alias: 'n', describe: 'print every step and change nothing' },
    prefix: {
      type: 'string',
      value: 'DIR',
      describe:
        'install below this directory instead of /usr/local; any but /usr and /usr/local stays private to itself',
      complete: 'directory',
    },
    root: {
      type: 'string',
      value: 'DIR',
      describe: 'fill this directory as if it were /, and leave the running system alone',
      complete: 'directory',
    },
    socket: {
      type: 'boolean',
      describe: 'take dumps over the coredump socket of Linux 6.17 instead of a pipe (systemd)',
    },
    'no-kernel': { type: 'boolean', describe: 'leave core_pattern alone, now and at boot' },
    'no-service': { type: 'boolean', describe: "put the daemon's unit down but don't start it" },
  },
  examples: [
    ['gocore-sink install --dry-run', 'what it would do'],
    ['gocore-sink install --archive /mnt/dumps', 'with the archive on shared storage'],
  ],
})

interface Args extends GlobalArgs {
  dryRun?: boolean
  prefix?: string
  root?: string
  noKernel?: boolean
  socket?: boolean
  noService?: boolean
}

export async function handler(argv: Args): Promise<void> {
  const { install } = await import('../../install/index.ts')
  const { prefix, root, archive } = argv
  install(
    {
      ...(prefix === undefined ? {} : { prefix }),
      ...(root === undefined ? {} : { root }),
      ...(archive === undefined ? {} : { archive }),
      dryRun: argv.dryRun === true,
      socket: argv.socket === true,
      kernel: !argv.noKernel,
      service: !argv.noService,
    },
    sayTo(1),
  )
}
