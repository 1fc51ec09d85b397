/** `args`: the arguments and results of a frame. */
import { args } from '../debug/commands/variables.ts'
import { variablesVerb } from '../debug/row-verbs.ts'

export const { command, describe, builder, handler } = variablesVerb(args, [
  ['gocore-sink args', 'of the function where the latest crash died'],
  ['gocore-sink args ./core -f 3', 'of the fourth frame'],
])
