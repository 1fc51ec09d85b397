/** The handler's own standing: it runs in no service's cgroup, so nothing limits or protects it but itself. */
import { writeFileSync } from 'node:fs'
import { setPriority } from 'node:os'

/** While a process is held, its service is down: the reader goes first on a busy machine, and behind all others later. */
const niceWhileHeld = -5

/**
 * When memory runs out, the kernel must not end the handler for the sake of a process that is dying anyway; it is small.
 * Where crashes wait for each other there are so many that other programs would come to nothing behind them.
 */
export function shieldSelf(isStorm: boolean): void {
  attempt(() => writeFileSync('/proc/self/oom_score_adj', '-900'))
  if (!isStorm) attempt(() => setPriority(0, niceWhileHeld))
}

function attempt(change: () => void): void {
  try {
    change()
  } catch {
    // Neither root nor allowed to, as in a replay: then there is nothing to shield.
  }
}
