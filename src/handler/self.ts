/** The handler's own standing: it runs in no service's cgroup, so nothing limits or protects it but itself. */
import { writeFileSync } from 'node:fs'

/**
 * When memory runs out, the kernel must not end the handler for the sake of a process that is dying anyway; it is small.
 */
export function shieldSelf(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '-900')
  } catch {
    // Not root, as in a replay: then there is nothing to shield.
  }
}
