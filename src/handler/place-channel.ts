/**
 * Commands for a place, given to a thread that does them one after the other, and the answers. A thread that hangs in the
 * kernel hangs alone: whoever waits for it does so with a deadline, and goes elsewhere. Bytes to write go through shared
 * memory, which this side can still read when the other never answers.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { basename } from 'node:path'
import type { MessagePort, Worker } from 'node:worker_threads'
import { openSystemCalls } from '../base/system-calls.ts'
import { Place, type PlaceCommands } from './place.ts'
import { confineProcess, confineWrites, keepCapabilities } from './rights.ts'
import type { Put } from './staged-pieces.ts'

/** The first argument of such a thread, which runs the same file as the handler itself. */
export const placeArgument = '--place-thread'

export type Command = {
  [K in keyof PlaceCommands]: { do: K; with: Parameters<PlaceCommands[K]> }
}[keyof PlaceCommands]

type Message = Command | { do: 'stop' } | Put

interface Order {
  port: MessagePort
  control: SharedArrayBuffer
  staged: SharedArrayBuffer
}

/** What an error keeps of itself on its way. */
export interface Failure {
  message: string
  errno?: number
  code?: string
}

type Answer = { value: unknown } | { failure: Failure }

/** Places of the counters: commands given, answered, taken up; steps of one that takes long; and the thread's own id. */
const sent = 0
const answered = 1
const begun = 2
const moved = 3
const thread = 4

/** A thread that has not come up says nothing of the storage: the machine is busy. */
const patienceForThread = 10

/** Storage that did not answer in time, told in seconds. */
export class StorageStalled extends Error {
  constructor(patience: number) {
    super(`it has not answered for ${Number((patience / 1000).toFixed(1))} s`)
  }
}

export class PlaceChannel {
  readonly staged: SharedArrayBuffer
  readonly #control = new Int32Array(new SharedArrayBuffer(20))
  readonly #worker: Worker | undefined
  readonly #port: MessagePort | undefined
  /** In the place of a thread, where none is to be had. */
  readonly #here: Place | undefined
  readonly #answers: Answer[] = []
  #received = 0
  #begun = 0
  #moved = 0
  #progress = performance.now()

  constructor(script: string, staged: SharedArrayBuffer) {
    this.staged = staged
    try {
      const { Worker, MessageChannel } = process.getBuiltinModule('node:worker_threads')
      const { port1, port2 } = new MessageChannel()
      const workerData: Order = {
        port: port2,
        control: this.#control.buffer as SharedArrayBuffer,
        staged,
      }
      // Node would close what the thread has opened, as it ends: files that it has handed over.
      const trackUnmanagedFds = false
      this.#worker = new Worker(script, {
        ...{ argv: [placeArgument], workerData, transferList: [port2], trackUnmanagedFds },
      })
      this.#worker.on('error', () => {}).unref()
      this.#port = port1
      port1.unref()
    } catch {
      this.#here = new Place()
    }
  }

  /** Commands that were given and not answered. */
  get waiting(): number {
    return Atomics.load(this.#control, sent) - this.#received
  }

  give(message: Command | Put): void {
    if (this.waiting === 0) this.#progress = performance.now()
    Atomics.add(this.#control, sent, 1)
    if (this.#here !== undefined) {
      this.#answers.push(answerTo(this.#here, message, this.staged))
      return
    }
    this.#port!.postMessage(message)
    Atomics.notify(this.#control, sent)
  }

  /** The answer to the oldest command, if it is there. */
  poll(): Answer | undefined {
    const { receiveMessageOnPort } = process.getBuiltinModule('node:worker_threads')
    const answer = this.#answers.shift() ?? (this.#port && receiveMessageOnPort(this.#port)?.message)
    if (answer === undefined) return undefined
    this.#received++
    this.#progress = performance.now()
    return answer
  }

  /** Waits for the next answer. Throws StorageStalled where none comes for `patience` milliseconds. */
  next(patience: number, idle?: () => void, beat?: () => void): Answer {
    for (;;) {
      const seen = Atomics.load(this.#control, answered)
      const answer = this.poll()
      if (answer !== undefined) return answer
      const most = patience * this.#scale()
      const left = this.#progress + most - performance.now()
      if (left <= 0) throw new StorageStalled(most)
      Atomics.wait(this.#control, answered, seen, Math.min(idle === undefined ? 1000 : 2, left))
      idle?.()
      beat?.()
    }
  }

  /** The patience begins anew. */
  renew(): void {
    this.#progress = performance.now()
  }

  /** The thread has something to run, and no processor to run it on: what has not come is not for the storage's sake. */
  get isStarved(): boolean {
    return isRunnable(Atomics.load(this.#control, thread))
  }

  /** The time of a command runs from when the thread has taken it up, or has come a step further with it. */
  #scale(): number {
    const taken = Atomics.load(this.#control, begun)
    const steps = Atomics.load(this.#control, moved)
    if (taken !== this.#begun || steps !== this.#moved) {
      this.#begun = taken
      this.#moved = steps
      this.#progress = performance.now()
    }
    return taken > this.#received ? 1 : patienceForThread
  }

  stop(): void {
    this.#port?.postMessage({ do: 'stop' } satisfies Message)
    Atomics.add(this.#control, sent, 1)
    Atomics.notify(this.#control, sent)
  }
}

/** Also while the kernel fetches the code that a thread of ours is to run, proc_pid_syscall(5): `-1`, in no system call. */
function isRunnable(tid: number): boolean {
  try {
    return /^(?:running|-1) ?/.test(readFileSync(`/proc/self/task/${tid}/syscall`, 'latin1'))
  } catch {
    return false
  }
}

/** 0 where /proc does not tell. */
function ownThreadId(): number {
  try {
    return Number(basename(readlinkSync('/proc/thread-self')))
  } catch {
    return 0
  }
}

/** linux/ioprio.h: the calling thread; the last of the eight ranks of the class best-effort, 2. */
const IOPRIO_WHO_PROCESS = 1
const lastAtDisk = (2 << 13) | 7

/** The thread's side. */
export function runPlaceThread(): void {
  const { receiveMessageOnPort, workerData } = process.getBuiltinModule('node:worker_threads')
  const { port, control, staged } = workerData as Order
  const counters = new Int32Array(control)
  const place = new Place(() => Atomics.add(counters, moved, 1))
  Atomics.store(counters, thread, ownThreadId())
  // Of the kernel's own niceness, not of the thread that empties the pipe; and behind all others at the disk.
  if (getPriority() < 0) setPriority(0, 0)
  openSystemCalls()?.call('ioprio_set', IOPRIO_WHO_PROCESS, 0, lastAtDisk)
  for (;;) {
    const seen = Atomics.load(counters, sent)
    const message = receiveMessageOnPort(port)?.message as Message | undefined
    if (message === undefined) {
      Atomics.wait(counters, sent, seen, 1000)
      continue
    }
    if (message.do === 'stop') break
    Atomics.add(counters, begun, 1)
    Atomics.notify(counters, answered)
    port.postMessage(answerTo(place, message, staged))
    Atomics.add(counters, answered, 1)
    Atomics.notify(counters, answered)
    if (message.do !== 'begin') continue
    // Now that the files are open, and here, where it costs nobody time.
    confineWrites(message.with[0].root)
    keepCapabilities('released')
    confineProcess()
  }
  port.close()
}

function answerTo(
  place: Place,
  message: Exclude<Message, { do: 'stop' }>,
  staged: SharedArrayBuffer,
): Answer {
  try {
    if (message.do === 'put') {
      place.write(Buffer.from(staged, message.at, message.length))
      return { value: undefined }
    }
    const command = place[message.do] as (...args: unknown[]) => unknown
    return { value: command.apply(place, message.with) }
  } catch (error) {
    const { message: text, errno, code } = error as NodeJS.ErrnoException
    return {
      failure: {
        message: text,
        ...(errno === undefined ? {} : { errno }),
        ...(code === undefined ? {} : { code }),
      },
    }
  }
}
