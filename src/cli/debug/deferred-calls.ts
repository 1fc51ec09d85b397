/** Calls that a goroutine has deferred and not yet made: its list of runtime._defer, newest first. */
import type { CodeLocation } from '../../engine/index.ts'
import type { DebugState } from './state.ts'

export interface DeferredCall extends CodeLocation {
  /** Frame of the function with the defer statement, where it is on the stack. */
  readonly deferredBy: number | undefined
}

const maxDefers = 1000
const known = new WeakMap<object, readonly DeferredCall[]>()

/** Of the goroutine that is looked at; empty for a thread. Calls that the compiler keeps in the frame itself are not on the list. */
export function deferredCalls(state: DebugState): readonly DeferredCall[] {
  const { stack } = state.position
  if (stack?.subject.kind !== 'goroutine') return []
  let calls = known.get(stack)
  if (!calls) {
    calls = state.debugger.deferred(stack.subject.id).map(({ sp, ...where }) => ({
      ...where,
      deferredBy: stack.frames.find(frame => !frame.inlined && sp >= frame.sp && sp < frame.cfa)?.index,
    }))
    known.set(stack, calls)
  }
  return calls.slice(0, maxDefers)
}
