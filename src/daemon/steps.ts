/**
 * Long work done in turns with others: between two pieces of it the daemon's thread gives its sign of life, which the
 * watchdog wants to see, and hears its orders.
 */
import { setImmediate } from 'node:timers/promises'
import type { Steps } from '../base/steps.ts'

/** Others wait so long for their turn, milliseconds. */
const turnMs = 20

/** Runs it to its end, and gives others their turn meanwhile. */
export async function takeTurns<T>(steps: Steps<T>): Promise<T> {
  const turn = new Turn()
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
    await turn.pass()
  }
}

/** The same for a loop that waits for other things as well. */
export class Turn {
  #since = performance.now()

  /** Called after each piece of work; lets others go first where this has lasted for a while. */
  async pass(): Promise<void> {
    if (performance.now() - this.#since < turnMs) return
    await setImmediate()
    this.#since = performance.now()
  }
}
