/** `down`: a frame further in. */
import { down } from '../debug/commands/position.ts'
import { stepVerb } from '../debug/step-verb.ts'

export const { command, describe, builder, prepare, handler } = stepVerb(
  down,
  'the variables two frames further in',
)
