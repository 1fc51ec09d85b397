/**
 * Decides which dump is analysed next. The catalog's pending rows are the queue, so that nothing is lost with this
 * process; here is only what is in hand, and what is left alone for a while.
 */
import { hostname } from 'node:os'
import type { ArchiveStore, DumpRef } from '../archive/store.ts'
import type { Catalog, CrashRow } from '../catalog/index.ts'
import { readAnalysisRecord } from './analysis-record.ts'

export interface QueueOptions {
  store: ArchiveStore
  /** Asked each time: a damaged catalog is replaced. */
  catalog: () => Catalog
  parallel: () => number
  /** An attempt of another machine is believed in for so long, milliseconds. */
  patience: () => number
  work: (row: CrashRow, signal: AbortSignal) => Promise<void>
  /** Told when nothing is in hand and nothing waits. */
  onIdle?: () => void
}

/** Dumps of other machines are theirs first; after this long somebody else takes them. */
const othersFirstMs = 10 * 60 * 1000
/** After a failure of the archive or this machine, not of the dump; or where work left it as it was. */
const againAfterMs = 60 * 1000

export class AnalysisQueue {
  readonly #options: QueueOptions
  readonly #inHand = new Map<string, { abort: AbortController; done: Promise<void> }>()
  /** By `performance.now()`, which no change of the clock moves. */
  readonly #leaveUntil = new Map<string, number>()
  readonly #asked = new Set<string>()
  #stopped = false

  constructor(options: QueueOptions) {
    this.#options = options
  }

  get inHand(): number {
    return this.#inHand.size
  }

  /** Starts as much as may run. Called whenever something may have changed. */
  pump(): void {
    while (!this.#stopped && this.#inHand.size < this.#options.parallel()) {
      const row = this.#next()
      if (!row) break
      this.#start(row)
    }
    if (this.#inHand.size === 0) this.#options.onIdle?.()
  }

  /** Somebody asked for this one: it comes first, wherever it happened. */
  prefer(id: string): void {
    this.#asked.add(id)
    this.#leaveUntil.delete(id)
    this.pump()
  }

  /** Takes no more; what is in hand may end within `graceMs`, and is handed back after. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true
    const all = Promise.allSettled([...this.#inHand.values()].map(({ done }) => done))
    const timer = setTimeout(() => this.abort(), graceMs)
    await all
    clearTimeout(timer)
  }

  abort(): void {
    for (const { abort } of this.#inHand.values()) abort.abort()
  }

  #start(row: CrashRow): void {
    const abort = new AbortController()
    const done = this.#workOn(row, abort.signal)
    this.#inHand.set(row.id, { abort, done })
    void done.then(() => {
      this.#inHand.delete(row.id)
      this.pump()
    })
  }

  async #workOn(row: CrashRow, signal: AbortSignal): Promise<void> {
    try {
      await this.#options.work(row, signal)
      if (this.#options.catalog().get(row.id)?.analysis !== 'pending') return
    } catch {
      // Told by whoever was at work.
    }
    // It waits as it did before, and would be the next one again: the others have their turn.
    this.#leave(row)
  }

  #next(): CrashRow | undefined {
    const now = Date.now()
    for (const [id, until] of this.#leaveUntil) if (until <= performance.now()) this.#leaveUntil.delete(id)
    const catalog = this.#options.catalog()
    for (const id of this.#asked) {
      const row = catalog.get(id)
      if (!this.#inHand.has(id)) this.#asked.delete(id)
      if (row?.analysis === 'pending' && this.#isFree(row, now)) return row
    }
    const limit = this.#inHand.size + this.#leaveUntil.size + 50
    const ours = catalog.list({ analysis: 'pending', host: hostname(), limit })
    const older = catalog.list({ analysis: 'pending', until: now - othersFirstMs, limit })
    return [...ours, ...older].find(row => this.#isFree(row, now))
  }

  #isFree(row: CrashRow, now: number): boolean {
    if (this.#inHand.has(row.id) || this.#leaveUntil.has(row.id)) return false
    if (!this.#takenElsewhere(row, now)) return true
    this.#leave(row)
    return false
  }

  #leave({ id }: CrashRow): void {
    this.#leaveUntil.set(id, performance.now() + againAfterMs)
  }

  #takenElsewhere(ref: DumpRef, now: number): boolean {
    const record = readAnalysisRecord(this.#options.store, ref)
    if (record?.state !== 'running' || record.host === hostname() || record.attempts < 1) return false
    return now - Date.parse(record.started) < this.#options.patience()
  }
}
