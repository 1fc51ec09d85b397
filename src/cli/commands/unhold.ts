/** `unhold`: the opposite of `hold`. */
import { define } from '../define.ts'
import type { GlobalArgs } from '../options.ts'
import { entry } from '../verbs.ts'
import { setHolds } from './hold.ts'

export const { command, describe } = entry('unhold')

export const builder = define({
  positionals: {
    dumps: { describe: 'ids or their beginnings', several: true, complete: 'dump' },
  },
  examples: [['gocore-sink unhold 7f3k', 'the case is closed']],
})

export const handler = (argv: GlobalArgs & { dumps: string[] }): Promise<void> => setHolds(argv, undefined)
