/**
 * What the daemon counts of this machine's crashes, foremost what tells of loss, for `RUN/metrics.prom` (see
 * `metrics-file.ts`). No label holds text of a dump.
 */
import type { CrashRow } from '../../catalog/index.ts'
import { Histogram, Values } from './exposition.ts'

/** All reasons of a manifest, but for imports: those are no crashes of this machine. */
const reasons: readonly string[] = [
  ...['killed', 'cap', 'no-space', 'storage-error', 'storage-stalled', 'rlimit', 'policy'],
  ...['handler-error', 'refused'],
]

/** A counter that is not there before its first step hides it. */
const declared: readonly { state: CrashRow['coreState']; reason: string }[] = [
  { state: 'complete', reason: '' },
  ...(['truncated', 'none'] as const).flatMap(state => reasons.map(reason => ({ state, reason }))),
]

/** What a manifest says may be a newer version's, or anybody's: it makes no labels of its own. */
const reasonOf = ({ coreState, coreReason }: CrashRow): string => {
  if (coreState === 'complete' || coreReason === null) return ''
  return coreReason === 'imported' || reasons.includes(coreReason) ? coreReason : 'other'
}

const heldBounds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** `clear`: what unfinished writes left. `kept`: somebody wants the dump, or is at it. */
const retentionActions = ['delete', 'shrink', 'clear', 'kept', 'failed'] as const

/** `put` on its way, `left-out` by HooksPerHour or for a full outbox, `given-up` by who delivers: of each receiver one. */
const eventResults = ['put', 'left-out', 'given-up'] as const
export type EventResult = (typeof eventResults)[number]

export class Counts {
  readonly #crashes = new Values(
    'gocore_sink_crashes_total',
    'counter',
    'Crashes of this machine that were listed, by what is kept of the core and why it is not whole.',
  )
  readonly #lastCrash = new Values(
    'gocore_sink_last_crash_timestamp_seconds',
    'gauge',
    'When the last of them happened.',
  )
  readonly #held = new Histogram(
    'gocore_sink_held_seconds',
    'How long crashed processes waited for their dump to be taken.',
    heldBounds,
  )
  readonly #analyses = new Values('gocore_sink_analyses_total', 'counter', 'Analyses that ended, by how.')
  readonly #backlog = new Values('gocore_sink_analysis_backlog', 'gauge', 'Dumps that wait for analysis.')
  readonly #shipped = new Values(
    'gocore_sink_shipped_total',
    'counter',
    'Dumps that were brought home from the spool, or could not be at one attempt.',
  )
  readonly #retention = new Values(
    'gocore_sink_retention_total',
    'counter',
    'Dumps and executables that retention deleted or shrank, kept for somebody, or could not; what it cleared away.',
  )
  readonly #events = new Values(
    'gocore_sink_hook_events_total',
    'counter',
    'Events for hooks that were put into the outbox or left out, and those that were given up, of each receiver.',
  )
  readonly #waiting = new Values(
    'gocore_sink_hook_waiting',
    'gauge',
    'Events that wait for their delivery, of each receiver.',
  )
  readonly #waitingAge = new Values(
    'gocore_sink_hook_oldest_seconds',
    'gauge',
    'Age of the oldest of them; 0 where none waits.',
  )

  #last = 0

  constructor() {
    for (const labels of declared) this.#crashes.declare(labels)
    for (const result of ['done', 'failed']) this.#analyses.declare({ result })
    for (const result of ['done', 'failed']) this.#shipped.declare({ result })
    for (const action of retentionActions) this.#retention.declare({ action })
    for (const result of eventResults) this.#events.declare({ result })
  }

  crash(row: CrashRow): void {
    const { coreState: state, heldMs, time } = row
    this.#crashes.add(1, { state, reason: reasonOf(row) })
    // What the kernel refused was not held.
    if (heldMs > 0) this.#held.observe(heldMs / 1000)
    // What comes home from a spool happened before what has been told of.
    this.#last = Math.max(this.#last, Math.floor(time / 1000))
    this.#lastCrash.set(this.#last)
  }

  analysis(result: 'done' | 'failed'): void {
    this.#analyses.add(1, { result })
  }

  shipped(result: 'done' | 'failed'): void {
    this.#shipped.add(1, { result })
  }

  retention(action: (typeof retentionActions)[number]): void {
    this.#retention.add(1, { action })
  }

  event(result: EventResult, count = 1): void {
    this.#events.add(count, { result })
  }

  /** `oldest`: when it was put, milliseconds of the clock; undefined where none waits. */
  eventsWaiting(count: number, oldest: number | undefined): void {
    this.#waiting.set(count)
    this.#waitingAge.set(oldest === undefined ? 0 : Math.max(0, Date.now() - oldest) / 1000)
  }

  /** `backlog`: dumps that wait for analysis now. */
  text(backlog: number): string {
    this.#backlog.set(backlog)
    return [
      ...[this.#crashes, this.#lastCrash, this.#held, this.#analyses, this.#backlog],
      ...[this.#shipped, this.#retention, this.#events, this.#waiting, this.#waitingAge],
    ]
      .map(family => family.text())
      .join('')
  }
}
