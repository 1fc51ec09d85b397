/** The stack of a goroutine, by its number, or of a kernel thread. */
import type { Stack, Subject } from './frame.ts'
import { goroutineFrames, type StackContext, threadFrames } from './stacks.ts'

/** Undefined where there is no such goroutine or thread. */
export function stackOf(
  { image, runtime, stacks }: { stacks: StackContext['cStacks'] } & Pick<StackContext, 'image' | 'runtime'>,
  subject: Subject,
): Stack | undefined {
  const context: StackContext = { image, runtime, cStacks: stacks }
  if (subject.kind === 'thread') {
    const walked = threadFrames(context, subject.tid)
    return walked && { subject, ...walked }
  }
  for (const g of runtime?.goroutines() ?? [])
    if (g.id === subject.id) return { subject, ...goroutineFrames(context, runtime!, g) }
  return undefined
}
