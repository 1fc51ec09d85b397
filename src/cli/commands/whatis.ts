/** `whatis`: the type of an expression, or what a type consists of. */
import { whatis } from '../debug/commands/print.ts'
import { expressionVerb } from '../debug/row-verbs.ts'

export const { command, describe, builder, handler } = expressionVerb(whatis, {
  describe: 'an expression or the name of a type, see gocore-expr(7)',
  options: {},
  schema: 'gocore-type',
  examples: [
    ['gocore-sink whatis main.messages', 'the type of a variable'],
    ['gocore-sink whatis 7f3k runtime.hchan', 'the fields of a type'],
  ],
})
