/** The thread that works, as the one sees it that watches: orders go there, reports come back. */
import { Worker } from 'node:worker_threads'
import { SinkError } from '../base/errors.ts'
import type { Failure, Order, WorkReport, WorkStart } from './thread-words.ts'

const program = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? './work.ts' : './daemon-work.js', import.meta.url)

export class WorkThread {
  /** Its signs of life. */
  readonly beats = new Int32Array(new SharedArrayBuffer(4))
  /** Resolves when it has ended as it was told to; rejects with why it has ended otherwise. */
  readonly ended: Promise<void>
  readonly #worker: Worker
  readonly #fail: (why: unknown) => void

  constructor(start: Omit<WorkStart, 'beats'>, onReport: (report: WorkReport) => void) {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.ended = promise
    this.#fail = reject
    const workerData: WorkStart = { ...start, beats: this.beats }
    this.#worker = new Worker(program(), { workerData, name: 'gocore-sink work' })
    this.#worker.on('message', (report: WorkReport | Failure) => {
      if (report.kind === 'failed') reject(errorOf(report))
      else onReport(report)
    })
    this.#worker.on('error', (error: Error) =>
      reject(new Error(`An error that nobody caught: ${error.stack}`, { cause: error })),
    )
    this.#worker.on('exit', () => resolve())
  }

  tell(order: Order): void {
    this.#worker.postMessage(order)
  }

  /** Ends it wherever it is, since it can't be of use. */
  abandon(why: unknown): void {
    this.#fail(why)
    void this.#worker.terminate()
  }
}

/** Errors lose their class between threads. */
function errorOf({ code, message }: Failure): Error {
  return code === undefined ? new Error(message) : new SinkError(code, message)
}
