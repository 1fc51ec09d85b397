/**
 * Handlers that stand by, so that no process is started while the kernel holds one. Each takes one dump and ends: what it
 * gave up for that, and what it read, is never there for the next.
 */
import { type ChildProcess, fork, type Serializable } from 'node:child_process'
import type { Socket } from 'node:net'
import { reasonOf } from '../base/errors.ts'
import { isLogPassed } from '../handler/log.ts'
import { type Handle, type StandbyOrder, standbyArgument } from './standby.ts'

export interface CrewOptions {
  /** The program of a handler that stands by. */
  readonly script: string
  /** How many stand by. */
  readonly spare: number
  /** Called when a dump is stored, or given up. */
  readonly onDone: () => void
  readonly onError: (why: string) => void
}

/** A handler that ends sooner without work would end again. */
const shortLife = 5000

export class Crew {
  readonly #options: CrewOptions
  readonly #spare: ChildProcess[] = []
  #closed = false

  constructor(options: CrewOptions) {
    this.#options = options
    this.#fill()
  }

  /** Gives the connection away; the caller's own end of it is closed then. */
  hand(handle: Handle, order: StandbyOrder): void {
    const child = this.#spare.shift() ?? this.#start()
    child.once('exit', () => {
      this.#options.onDone()
      this.#fill()
    })
    pass(child, order, handle, error => {
      if (error !== null) this.#options.onError(`could not hand it to a handler: ${reasonOf(error)}`)
    })
  }

  /** Those that stand by end; those that have a dump go on. */
  close(): void {
    this.#closed = true
    for (const child of this.#spare.splice(0)) child.disconnect()
  }

  #fill(): void {
    while (!this.#closed && this.#spare.length < this.#options.spare) {
      const child = this.#start()
      const began = performance.now()
      this.#spare.push(child)
      child.once('exit', () => {
        const at = this.#spare.indexOf(child)
        if (at < 0) return
        this.#spare.splice(at, 1)
        // One that can't live is tried again with the next crash.
        if (performance.now() - began > shortLife) this.#fill()
      })
    }
  }

  #start(): ChildProcess {
    const child = startPart(this.#options.script, [standbyArgument])
    child.on('error', error => this.#options.onError(`a handler: ${reasonOf(error)}`))
    child.unref()
    child.channel?.unref()
    return child
  }
}

/** Starts a part of the receiver, of the same file, that hears of its parent's end. `more` is its descriptor 4. */
export const startPart = (
  script: string,
  args: readonly string[],
  more: readonly number[] = [],
): ChildProcess =>
  fork(script, args, {
    cwd: '/',
    env: {},
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', isLogPassed ? 'inherit' : 'ignore', 'inherit', 'ipc', ...more],
  })

/** Sends a connection with a message, and closes this process's end of it. */
export function pass(
  to: { send?: ChildProcess['send'] },
  message: Serializable,
  handle: Handle,
  sent: (error: Error | null) => void,
): void {
  // Node has a name for the handle's class alone.
  to.send?.(message, handle as unknown as Socket, error => {
    handle.close()
    sent(error)
  })
}
