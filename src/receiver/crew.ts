/**
 * Handlers that stand by, so that no process is started while the kernel holds one. Each takes one dump and ends: what it
 * gave up for that, and what it read, is never there for the next.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import { uptime } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { reasonOf } from '../base/errors.ts'
import { isLogPassed } from '../handler/log.ts'
import { lastBeat, Ticket } from '../handler/ticket.ts'
import { type Handle, type StandbyOrder, standbyArgument } from './standby.ts'

export interface CrewOptions {
  /** The program of a handler that stands by. */
  readonly script: string
  /** How many stand by. */
  readonly spare: number
  /** Milliseconds in which a handler is to say that it stands by, or that it has its dump. */
  readonly patience?: number
  /** Directory in which each handler at work shows that it gets on, in a file named by its process. */
  readonly tickets: string
  /** Called when a dump is stored, or given up. */
  readonly onDone: (order: StandbyOrder) => void
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
  readonly #patience: number
  /** Those that have said so, and since when, in milliseconds of performance.now(). */
  readonly #spare = new Map<ChildProcess, number>()
  /** Those that will stand by. */
  readonly #starting = new Set<ChildProcess>()
  /** Those that have a dump. */
  readonly #atWork = new Map<ChildProcess, StandbyOrder>()
  #closed = false

  constructor(options: CrewOptions) {
    this.#options = options
    this.#patience = options.patience ?? 30_000
    this.#fill()
  }

  /**
   * Gives the connection away; the caller's own end of it is closed when a handler says that it has it. One that stood by may
   * have ended, and another may not be had at this moment, or hang at its start.
   */
  async hand(handle: Handle, order: StandbyOrder): Promise<void> {
    for (let tries = 0; tries < mostTries; tries++) {
      if (tries > 0) await pause(betweenTries)
      const child = await this.#next()
      if (child === undefined || !(await this.#give(child, handle, order))) continue
      handle.close()
      return
    }
    handle.close()
    this.#options.onError('could not hand it to a handler: none starts, or none takes it')
    this.#options.onDone(order)
  }

  /** One that stands by, or a new one; undefined where none is to be had. */
  async #next(): Promise<ChildProcess | undefined> {
    const [spare] = this.#spare.keys()
    const child = spare ?? this.#start()
    if (spare !== undefined) this.#spare.delete(spare)
    else if (child !== undefined && !(await speaks(child, this.#patience))) return undefined
    return child
  }

  /** Whether it has the connection now. */
  async #give(child: ChildProcess, handle: Handle, order: StandbyOrder): Promise<boolean> {
    const ticket = this.#ticketOf(child)
    // One of an earlier process of this number.
    removeIfThere(ticket)
    // From here on it is looked after, whether or not it gets to write its own.
    new Ticket(ticket, true)
    // Node has a name for the handle's class alone.
    child.send({ ...order, ticket }, handle as unknown as Socket, error => {
      if (error !== null) child.kill('SIGKILL')
    })
    if (!(await speaks(child, this.#patience))) {
      removeIfThere(ticket)
      return false
    }
    this.#atWork.set(child, order)
    if (child.exitCode !== null || child.signalCode !== null) this.#leave(child)
    return true
  }

  /**
   * Others wait: who has not moved for so many seconds is ended, be it of an earlier receiver's crew, and who has ended, but
   * for a thread that hangs in the kernel, keeps nobody's place.
   */
  lookAfter(patience: number): void {
    for (const child of this.#atWork.keys()) if (hasEnded(child.pid!)) this.#leave(child)
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
    for (const child of [...this.#starting, ...this.#spare.keys()]) child.kill('SIGKILL')
    this.#spare.clear()
  }

  #fill(): void {
    while (!this.#closed && this.#spare.size + this.#starting.size < this.#options.spare) {
      const child = this.#start()
      if (child === undefined) break
      void this.#await(child)
    }
  }

  async #await(child: ChildProcess): Promise<void> {
    this.#starting.add(child)
    const isReady = await speaks(child, this.#patience)
    this.#starting.delete(child)
    if (isReady && !this.#closed) this.#spare.set(child, performance.now())
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
    const order = this.#atWork.get(child)
    this.#atWork.delete(child)
    if (order !== undefined) {
      removeIfThere(this.#ticketOf(child))
      this.#options.onDone(order)
    }
    // One that can't live is tried again with the next crash.
    if (order !== undefined || (since !== undefined && performance.now() - since > shortLife)) this.#fill()
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

/**
 * Whether a part says a word within so many milliseconds; one that does not is ended. Node hangs at its start, for good, where
 * it gets some of its threads and then no more.
 */
export function speaks(part: ChildProcess, patience: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  // Behind what has come meanwhile, if it was this process that stood still.
  const timer = setTimeout(() => setImmediate(resolve, false), patience)
  part.once('message', () => resolve(true))
  // Behind all that it said, which its exit may not be.
  if (part.connected) part.once('disconnect', () => resolve(false))
  else resolve(false)
  return promise.then(isWord => {
    clearTimeout(timer)
    if (!isWord) part.kill('SIGKILL')
    return isWord
  })
}
