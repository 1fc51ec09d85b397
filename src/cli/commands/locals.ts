/** `locals`: the local variables of a frame. */
import { locals } from '../debug/commands/variables.ts'
import { variablesVerb } from '../debug/row-verbs.ts'

export const { command, describe, builder, handler } = variablesVerb(locals, [
  ['gocore-sink locals', 'where the latest crash died'],
  ['gocore-sink locals 7f3k -g 18 -f main.producer -v', 'where a goroutine waits'],
])
