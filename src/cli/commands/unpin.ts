/** `unpin`: the opposite of `pin`. */
import { define } from '../define.ts'
import { dumpPositional, type GlobalArgs } from '../options.ts'
import { entry } from '../verbs.ts'
import { handler as pin } from './pin.ts'

export const { command, describe } = entry('unpin')

export const builder = define({
  positionals: { dump: { ...dumpPositional, describe: 'id or its beginning; without it, the latest dump' } },
  examples: [['gocore-sink unpin 7f3k', 'retention may remove it again']],
})

export const handler = (argv: GlobalArgs & { dump?: string }): Promise<void> => pin({ ...argv, remove: true })
