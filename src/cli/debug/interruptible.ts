/**
 * Work that Ctrl-C ends wherever it is, though it never comes back to the event loop: node:vm watches for SIGINT on a
 * thread of its own and stops the script that is running, as node's own REPL has it. What the work had found and kept up
 * to then stays, since everything here is kept when it is whole; `finally` is not run.
 */
import { Script } from 'node:vm'

/** Ctrl-C: what was asked for is not wanted any more. */
export class Interrupted extends Error {
  constructor() {
    super('Interrupted: the answer ends here.')
    this.name = 'Interrupted'
  }
}

const slot = Symbol.for('gocore-sink debug work')
const place = globalThis as unknown as Record<symbol, (() => void) | undefined>
let script: Script | undefined

/** What `work` returns; throws Interrupted where SIGINT came first. A terminal must give signals for keys then: no raw mode. */
export function interruptible<T>(work: () => T): T {
  script ??= new Script("globalThis[Symbol.for('gocore-sink debug work')]()", { filename: 'debug-work' })
  const outer = place[slot]
  let result: { readonly value: T } | undefined
  place[slot] = () => {
    result = { value: work() }
  }
  try {
    script.runInThisContext({ breakOnSigint: true, displayErrors: false })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED') throw new Interrupted()
    throw error
  } finally {
    place[slot] = outer
  }
  return result!.value
}
