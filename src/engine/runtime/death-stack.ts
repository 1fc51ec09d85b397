/**
 * What was on the stacks of the thread that began to die: which of the runtime's ways of dying it was in, told by the
 * functions on its stacks, from the registers down to the code that the first signal interrupted.
 */

import type { Runtime } from './runtime.ts'
import type { GoThread } from './thread.ts'
import type { PhysicalFrame, StackPosition } from './unwinder.ts'
import { unwind } from './unwinder.ts'

/** Which function of the runtime a dying thread is in. */
export type Dying = 'panic' | 'fatal' | 'signal'

const maxFrames = 4096
/** Of a goroutine's stack, enough to find the functions of dying and the call that led to them. */
const maxGoroutineFrames = 200

export interface DeathStack {
  readonly dying: Dying | undefined
  /** The frames of the interrupted code and of the goroutine behind it, innermost first. */
  readonly frames: readonly PhysicalFrame[]
  /** Position in `frames` behind which the program's own code begins: past gopanic, throw and what they called. */
  readonly below: number
  /** Frames of `runtime.throw` or `runtime.fatal`, for the text that they were given. */
  readonly thrower: PhysicalFrame | undefined
  /** The fault was turned into a call of sigpanic, which led to this death. */
  readonly sigpanic: boolean
}

/** Of the thread's innermost stacks only the signal handler's own frames matter; the last has the cause. */
export function readDeathStack(runtime: Runtime, thread: GoThread | undefined): DeathStack {
  const frames: PhysicalFrame[] = []
  const inHandlers: PhysicalFrame[] = []
  for (const [i, { position }] of (thread?.contexts ?? []).entries()) {
    const last = i === thread!.contexts.length - 1
    collect(runtime, position, last ? frames : inHandlers)
  }
  const curg = thread?.machine?.curg ?? 0
  const onGoroutine = thread?.contexts.at(-1)?.stack === 'goroutine'
  // Below systemstack: the goroutine went on at what it saved.
  if (curg !== 0 && !onGoroutine) {
    try {
      const { pc, sp, lr } = runtime.goroutineAt(curg).sched
      collect(runtime, { pc, sp, lr, trap: false, isSyscall: false }, frames)
    } catch {
      // An unreadable goroutine adds nothing.
    }
  }
  const index = (test: (name: string) => boolean): number => frames.findIndex(({ func }) => test(func.name))
  const fatalpanic = index(name => name.startsWith('runtime.fatalpanic'))
  const fatalthrow = index(name => name.startsWith('runtime.fatalthrow'))
  const thrower = index(name => name === 'runtime.throw' || name === 'runtime.fatal')
  const gopanic = index(name => name === 'runtime.gopanic')
  const handled = inHandlers.some(({ func }) => func.name === 'runtime.sighandler')
  const first = [fatalpanic, fatalthrow, thrower].filter(at => at >= 0)
  const dying: Dying | undefined =
    first.length === 0
      ? handled
        ? 'signal'
        : undefined
      : Math.min(...first) === fatalpanic
        ? 'panic'
        : 'fatal'
  const anchor = dying === 'panic' ? Math.max(gopanic, fatalpanic) : Math.max(thrower, fatalthrow)
  let below = dying === undefined || dying === 'signal' ? 0 : anchor + 1
  const sigpanicAt = frames.findIndex(({ func }, i) => i >= below && func.role === 'sigpanic')
  const sigpanic =
    sigpanicAt >= 0 && frames.slice(below, sigpanicAt).every(({ func }) => func.name.startsWith('runtime.'))
  if (sigpanic) below = sigpanicAt + 1
  return { dying, frames, below, thrower: thrower >= 0 ? frames[thrower] : undefined, sigpanic }
}

function collect(runtime: Runtime, position: StackPosition, into: PhysicalFrame[]): void {
  let count = 0
  unwind(runtime.context, position, frame => {
    if (into.length < maxFrames) into.push(frame)
    return ++count < maxGoroutineFrames
  })
}
