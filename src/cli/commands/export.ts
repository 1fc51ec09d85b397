/** `export`: what the archive holds, as ordinary files. */
import { UsageError } from '../../base/errors.ts'
import { define } from '../define.ts'
import { dumpPositional, exeOption, type TargetArgs } from '../options.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('export')

export const builder = define({
  positionals: { dump: dumpPositional },
  options: {
    output: {
      type: 'string',
      alias: 'o',
      value: 'FILE',
      describe: 'where to write: a file, a directory, or - for standard output; without it, a new file here',
      complete: 'file',
    },
    binary: { type: 'boolean', describe: 'the executable instead of the core' },
    bundle: { type: 'boolean', describe: 'a tar file with manifest, report, core, executable and libraries' },
    force: { type: 'boolean', alias: 'f', describe: 'replace a file that exists' },
    ...exeOption,
  },
  examples: [
    ['gocore-sink export 7f3k', 'the core as the kernel wrote it, into ./core.7f3k2m'],
    ['gocore-sink export 7f3k -o - | zstd > core.zst', 'into a pipe'],
    ['gocore-sink export --bundle 7f3k', 'everything, to take elsewhere and import there'],
  ],
})

interface Args extends TargetArgs {
  output?: string
  binary?: boolean
  bundle?: boolean
  force?: boolean
}

export async function handler(argv: Args): Promise<void> {
  if (argv.binary && argv.bundle)
    throw new UsageError('--bundle holds the executable already: give one of --binary and --bundle.')
  const { openTarget } = await import('../target.ts')
  const { exportBinary, exportBundle, exportCore } = await import('../export.ts')
  using target = await openTarget(argv)
  const run = argv.bundle ? exportBundle : argv.binary ? exportBinary : exportCore
  const written = await run(target, { output: argv.output, force: argv.force === true })
  if (written !== undefined) process.stderr.write(`${written}\n`)
}
