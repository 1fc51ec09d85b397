/**
 * Handlers that stand by, so that no process is started while the kernel holds one. Each takes one dump and ends: what it
 * gave up for that, and what it read, is never there for the next.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { uptime } from 'node:os'
import { join } from 'node:path'
import { reasonOf } from '../base/errors.ts'
import { isLogPassed } from '../handler/log.ts'
import { lastBeat } from '../handler/ticket.ts'
import { type Handle, type StandbyOrder, standbyArgument } from './standby.ts'

export interface CrewOptions {
  /** The program of a handler that stands by. */
  readonly script: string
  /** How many stand by. */
  readonly spare: number
  /** Directory in which each handler at work shows that it gets on, in a file named by its process. */
  readonly tickets: string
  /** Called when a dump is stored, or given up. */
  readonly onDone: () => void
  readonly onError: (why: string) => void
  /** Called before a handler that stood still is ended. */
  readonly onStill: (pid: number) => void
}

/** A handler that ends sooner without work would end again. */
const shortLife = 5000
/** Of giving a crash away, and the milliseconds between two. */
const mostTries = 4
const betweenTries = 500

export class Crew {
  readonly #options: CrewOptions
  /** Milliseconds of performance.now() since when each stands by. */
  readonly #spare = new Map<ChildProcess, number>()
  /** Those that have a dump. */
  readonly #atWork = new Set<ChildProcess>()
  #closed = false

  constructor(options: CrewOptions) {
    this.#options = options
    this.#fill()
  }

  /** Gives the connection away; the caller's own end of it is closed then. */
  hand(handle: Handle, order: StandbyOrder): void {
    this.#give(handle, order, mostTries)
  }

  /** One that stood by may have ended, and another may not be had at this moment. */
  #give(handle: Handle, order: StandbyOrder, tries: number): void {
    const fail = (why: string): void => {
      if (tries > 1) {
        setTimeout(() => this.#give(handle, order, tries - 1), betweenTries)
        return
      }
      handle.close()
      this.#options.onError(`could not hand it to a handler: ${why}`)
      this.#options.onDone()
    }
    const [spare] = this.#spare.keys()
    const child = spare ?? this.#start()
    if (child === undefined) {
      fail('no process is to be had')
      return
    }
    this.#spare.delete(child)
    const ticket = this.#ticketOf(child)
    // One of an earlier process of this number.
    removeIfThere(ticket)
    // Node has a name for the handle's class alone.
    child.send({ ...order, ticket }, handle as unknown as Socket, error => {
      if (error !== null) return fail(reasonOf(error))
      handle.close()
      this.#atWork.add(child)
      if (child.exitCode !== null || child.signalCode !== null) this.#leave(child)
    })
  }

  /**
   * Others wait: who has not moved for so many seconds is ended, be it of an earlier receiver's crew, and who has ended, but
   * for a thread that hangs in the kernel, keeps nobody's place.
   */
  lookAfter(patience: number): void {
    for (const child of this.#atWork) if (hasEnded(child.pid!)) this.#leave(child)
    for (const name of namesIn(this.#options.tickets)) {
      const pid = Number(name)
      // A ticket without a time tells nothing: there was no room to write it.
      const beat = lastBeat(join(this.#options.tickets, name))
      if (beat === undefined || uptime() - beat <= patience || !isHandler(pid) || isRunnable(pid)) continue
      this.#options.onStill(pid)
      end(pid)
    }
  }

  /** Those that stand by end; those that have a dump go on. */
  close(): void {
    this.#closed = true
    for (const child of this.#spare.keys()) child.disconnect()
    this.#spare.clear()
  }

  #fill(): void {
    while (!this.#closed && this.#spare.size < this.#options.spare) {
      const child = this.#start()
      if (child === undefined) break
      this.#spare.set(child, performance.now())
    }
  }

  /** Undefined where there is no process to be had. */
  #start(): ChildProcess | undefined {
    try {
      const child = startPart(this.#options.script, [standbyArgument])
      child.on('error', error => this.#options.onError(`a handler: ${reasonOf(error)}`))
      if (child.pid === undefined) return undefined
      child.once('exit', () => this.#leave(child))
      child.unref()
      child.channel?.unref()
      return child
    } catch (error) {
      this.#options.onError(`a handler: ${reasonOf(error)}`)
      return undefined
    }
  }

  #ticketOf({ pid }: ChildProcess): string {
    return join(this.#options.tickets, String(pid))
  }

  #leave(child: ChildProcess): void {
    const since = this.#spare.get(child)
    this.#spare.delete(child)
    const wasAtWork = this.#atWork.delete(child)
    if (wasAtWork) {
      removeIfThere(this.#ticketOf(child))
      this.#options.onDone()
    }
    // One that can't live is tried again with the next crash.
    if (wasAtWork || (since !== undefined && performance.now() - since > shortLife)) this.#fill()
  }
}

/** The letter that stands for what a process or a thread does, proc_pid_stat(5). Throws where there is none. */
function stateOf(path: string): string {
  const stat = readFileSync(`/proc/${path}/stat`, 'latin1')
  return stat.charAt(stat.lastIndexOf(')') + 2)
}

/** It is a zombie, or gone. */
function hasEnded(pid: number): boolean {
  try {
    return ['Z', 'X'].includes(stateOf(`${pid}`))
  } catch (error) {
    return ['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')
  }
}

/** A thread of it could go on and has no processor: it is the machine that is slow. */
function isRunnable(pid: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/task`).some(task => stateOf(`${pid}/task/${task}`) === 'R')
  } catch {
    return false
  }
}

/** A number that is another program's by now is let be. */
function isHandler(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').includes(standbyArgument)
  } catch {
    return false
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile, or is another user's.
  }
}

function removeIfThere(path: string): void {
  try {
    rmSync(path, { force: true })
  } catch {
    // Then it is as old as it looks.
  }
}

/** Those that are numbers; none where the directory can't be read. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).filter(name => /^[1-9][0-9]*$/.test(name))
  } catch {
    return []
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
