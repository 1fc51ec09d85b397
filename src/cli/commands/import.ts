/** `import`: core files of other tools become dumps. */
import { define } from '../define.ts'
import type { GlobalArgs } from '../options.ts'
import { entry } from '../verbs.ts'

export const { command, describe } = entry('import')

export const builder = define({
  positionals: {
    files: { describe: 'core files, or directories to search for them', several: true, complete: 'file' },
  },
  options: {
    exe: {
      type: 'string',
      value: 'FILE',
      describe: 'the executable that crashed, where it is not found by itself',
      complete: 'file',
    },
  },
  examples: [
    ['gocore-sink import ./core --exe ./server', 'a core file and its program'],
    ['gocore-sink import /var/lib/systemd/coredump', 'what systemd-coredump has kept'],
  ],
})

interface Args extends GlobalArgs {
  files: string[]
  exe?: string
}

export async function handler(argv: Args): Promise<void> {
  void argv
}
