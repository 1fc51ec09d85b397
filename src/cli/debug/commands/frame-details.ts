/** A frame in full: where it is, the source there, and every variable. */
import type { Answer } from '../command.ts'
import type { DebugState } from '../state.ts'
import { whereAnswer } from './position.ts'
import { frameJson } from './stack.ts'
import { variableLines } from './variables.ts'

export function frameDetails(state: DebugState): Answer {
  const { frame } = state
  return {
    *lines() {
      yield* whereAnswer(state).lines()
      const variables = state.debugger.variables(frame).all()
      if (variables.length > 0) yield ''
      for (const variable of variables) yield* variableLines(state, variable, true)
    },
    data: () => ({ subject: state.position.subject, frame: frameJson(state, frame, { full: true }) }),
  }
}
