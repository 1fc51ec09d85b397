/** `print`: the value of an expression, and nothing else. */
import { print } from '../debug/commands/print.ts'
import { expressionVerb } from '../debug/row-verbs.ts'
import { limitOptions } from '../debug/verb.ts'

export const { command, describe, builder, handler } = expressionVerb(print, {
  describe: 'what to print, see gocore-expr(7)',
  options: {
    format: {
      type: 'string',
      value: 'LETTER',
      describe: 'integers in hexadecimal, octal, binary, or as letters: x, o, t, c; print/x is the same',
    },
    ...limitOptions,
  },
  schema: 'gocore-value',
  examples: [
    ['gocore-sink print main.messages', 'a package variable, of the latest crash'],
    ['gocore-sink print 7f3k ch --goroutine 18 --frame main.producer', 'a variable where a goroutine waits'],
    ["gocore-sink print ./core '*(*main.T)(0xc000010000)'", 'what lies at an address'],
  ],
})
