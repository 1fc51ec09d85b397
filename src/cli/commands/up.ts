/** `up`: a frame further out. */
import { up } from '../debug/commands/position.ts'
import { stepVerb } from '../debug/step-verb.ts'

export const { command, describe, builder, prepare, handler } = stepVerb(
  up,
  'the variables two frames further out',
)
