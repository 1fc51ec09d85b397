/** Deferred calls one by one, newest first: they would have run in this order. */
import { hex } from '../../render/value-json.ts'
import type { Answer } from '../command.ts'
import { deferredCalls } from '../deferred-calls.ts'
import { clean, type DebugState } from '../state.ts'

export function deferredAnswer(state: DebugState): Answer {
  const calls = deferredCalls(state)
  const by = (index: number | undefined): string => {
    const frame = index === undefined ? undefined : state.position.stack?.frames[index]
    return frame
      ? `deferred by ${frame.function} (frame ${frame.index})`
      : 'deferred by a function that is not on the stack'
  }
  return {
    lines: () =>
      calls.length === 0
        ? ['(no deferred calls, or only such as the compiler keeps in their frames)']
        : calls.flatMap(({ function: name, file, line, pc, deferredBy }, i) => {
            const head = `${String(i + 1).padStart(2)}  `
            const more = ' '.repeat(head.length)
            return [
              `${head}0x${pc.toString(16).padStart(16, '0')} in ${clean(name)}`,
              `${more}at ${clean(file)}:${line}`,
              `${more}${clean(by(deferredBy))}`,
            ]
          }),
    data: () => ({
      deferred: calls.map(({ function: name, file, line, pc, deferredBy }) => ({
        function: name,
        file,
        line,
        pc: hex(pc),
        frame: deferredBy,
      })),
    }),
  }
}
