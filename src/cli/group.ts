/** Goroutines by equal stacks: the same calls at the same lines in the same state, as the report's own groups. */
import type { Goroutine, GoroutineGroup } from '../engine/report/report.ts'

const mostIds = 32

/** Largest group first; among equals the one that came first. Keeps one goroutine's frames per group. */
export function groupGoroutines(list: Iterable<Goroutine>): GoroutineGroup[] {
  const groups = new Map<string, GoroutineGroup>()
  for (const goroutine of list) {
    const state = stateWithoutWait(goroutine)
    const key = [state, ...goroutine.frames.map(frame => `${frame.function} ${frame.pc}`)].join('\n')
    const group = groups.get(key)
    if (group) {
      group.count++
      if (group.ids.length < mostIds) group.ids.push(goroutine.id)
      if (goroutine.waitNs !== undefined)
        group.longestWaitNs = Math.max(group.longestWaitNs ?? 0, goroutine.waitNs)
    } else
      groups.set(key, {
        count: 1,
        ids: [goroutine.id],
        state,
        system: goroutine.system,
        frames: goroutine.frames,
        ...(goroutine.waitNs === undefined ? {} : { longestWaitNs: goroutine.waitNs }),
        ...(goroutine.createdBy ? { createdBy: goroutine.createdBy } : {}),
      })
  }
  return [...groups.values()].sort((a, b) => b.count - a.count)
}

/** The text between the brackets without `, 5 minutes`. */
const stateWithoutWait = ({ state }: Goroutine): string => state.replace(/, \d+ minutes/, '')
