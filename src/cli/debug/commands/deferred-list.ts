/** All deferred calls of a goroutine, newest first: they would have run in this order. */
import type { Answer } from '../command.ts'
import { clean, type DebugState } from '../state.ts'
import { deferredBy } from './position.ts'
import { codePlace, deferJson, placeText } from './stack.ts'

export function deferredAnswer(state: DebugState): Answer {
  const calls = deferredBy(state)
  const { frames = [] } = state.position.stack ?? {}
  return {
    lines: () =>
      calls.length === 0
        ? ['(no deferred calls)']
        : calls.flatMap((call, i) => {
            const head = `${String(i + 1).padStart(String(calls.length).length)}  `
            const more = ' '.repeat(head.length)
            const by = call.frame === undefined ? undefined : frames[call.frame]
            const who = by
              ? `defer ${call.number} of frame ${by.index}, ${clean(by.function)}`
              : 'deferred by a function that is not on the stack'
            return [
              `${head}${codePlace(call)}`,
              `${more}at ${clean(call.file)}:${call.line}`,
              `${more}${who}`,
              ...(call.deferredAt ? [`${more}deferred by ${placeText(call.deferredAt)}`] : []),
            ]
          }),
    data: () => ({ deferred: calls.map(deferJson) }),
  }
}
