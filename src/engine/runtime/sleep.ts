/** The argument of a goroutine's time.Sleep, which with the timer's end tells when the sleep began. */
import { formatArguments } from './arguments.ts'
import type { Goroutine } from './goroutine.ts'
import { savedPosition } from './stack-start.ts'
import { type PhysicalFrame, symPC, type UnwindContext, unwind } from './unwinder.ts'

/** time.Sleep is near the top of a sleeping stack. */
const maxDepth = 4

/** Nanoseconds; undefined for one that is not asleep, or whose argument is not known to be good still. */
export function sleepOf(context: UnwindContext, g: Goroutine): number | undefined {
  let found: PhysicalFrame | undefined
  let count = 0
  unwind(context, savedPosition(g), frame => {
    if (frame.func.name === 'time.Sleep') found = frame
    return found === undefined && ++count < maxDepth
  })
  if (!found) return undefined
  const argp = found.fp + context.arch.minFrameSize
  const text = formatArguments(context.memory, found.func, argp, symPC(found))
  return /^0x[0-9a-f]+$/.test(text) ? Number(text) : undefined
}
