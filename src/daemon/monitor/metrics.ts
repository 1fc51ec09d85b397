/**
 * What monitoring wants to know of this machine's crashes, in `RUN/metrics.prom` for node_exporter's textfile collector:
 * foremost the counts that tell of loss. `gocore-sink(7)` lists the metrics. No label holds text of a dump.
 */
import { writeFileAtomic } from '../../base/atomic-file.ts'
import { toolVersion } from '../../base/version.ts'
import type { CrashRow } from '../../catalog/index.ts'
import { Histogram, Values } from './exposition.ts'

/** All reasons of a manifest; a counter that is not there before its first step hides it. */
const reasons: readonly { state: CrashRow['coreState']; reason: string }[] = [
  { state: 'complete', reason: '' },
  ...(['truncated', 'none'] as const).flatMap(state =>
    [
      ...['killed', 'cap', 'no-space', 'storage-error', 'storage-stalled', 'rlimit', 'policy'],
      ...['handler-error', 'refused'],
    ].map(reason => ({ state, reason })),
  ),
]

/** Numbers that are looked up when the file is written; undefined where they can't be had. */
export interface Standing {
  readonly backlog: number | undefined
  readonly spool: { readonly bytes: number; readonly oldest: number | undefined } | undefined
  readonly archive: { readonly answers: boolean; readonly free?: number; readonly size?: number }
}

const heldBounds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

export class Metrics {
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
  readonly #spoolBytes = new Values('gocore_sink_spool_bytes', 'gauge', 'Bytes in the local spool.')
  readonly #spoolAge = new Values(
    'gocore_sink_spool_oldest_seconds',
    'gauge',
    'Age of the oldest file in the spool; 0 for an empty one.',
  )
  readonly #answers = new Values('gocore_sink_archive_up', 'gauge', 'Whether the archive answers.')
  readonly #free = new Values('gocore_sink_archive_free_bytes', 'gauge', 'Room that is left in the archive.')
  readonly #size = new Values('gocore_sink_archive_size_bytes', 'gauge', "Size of the archive's file system.")
  readonly #retention = new Values(
    'gocore_sink_retention_total',
    'counter',
    'Dumps and executables that retention deleted or shrank, or could not.',
  )
  readonly #info: readonly Values[]

  constructor(started = Date.now()) {
    for (const labels of reasons) this.#crashes.declare(labels)
    for (const result of ['done', 'failed']) this.#analyses.declare({ result })
    for (const result of ['done', 'failed']) this.#shipped.declare({ result })
    for (const action of ['delete', 'shrink', 'failed']) this.#retention.declare({ action })
    this.#info = [
      new Values(
        'gocore_sink_start_time_seconds',
        'gauge',
        'When the daemon started; counts begin there.',
      ).set(Math.floor(started / 1000)),
      new Values('gocore_sink_build_info', 'gauge', 'Version of the daemon.').set(1, {
        version: toolVersion,
      }),
    ]
  }

  crash({ coreState: state, coreReason, heldMs, time }: CrashRow): void {
    this.#crashes.add(1, { state, reason: state === 'complete' ? '' : (coreReason ?? '') })
    // What the kernel refused was not held.
    if (heldMs > 0) this.#held.observe(heldMs / 1000)
    this.#lastCrash.set(Math.floor(time / 1000))
  }

  analysis(result: 'done' | 'failed'): void {
    this.#analyses.add(1, { result })
  }

  shipped(result: 'done' | 'failed'): void {
    this.#shipped.add(1, { result })
  }

  retention(action: 'delete' | 'shrink' | 'failed'): void {
    this.#retention.add(1, { action })
  }

  text({ backlog, spool, archive }: Standing): string {
    this.#backlog.set(backlog)
    this.#spoolBytes.set(spool?.bytes)
    this.#spoolAge.set(spool && (spool.oldest === undefined ? 0 : Math.max(0, spool.oldest)))
    this.#answers.set(archive.answers ? 1 : 0)
    this.#free.set(archive.free)
    this.#size.set(archive.size)
    return [
      ...[this.#crashes, this.#lastCrash, this.#held, this.#analyses, this.#backlog],
      ...[this.#shipped, this.#spoolBytes, this.#spoolAge],
      ...[this.#answers, this.#free, this.#size, this.#retention, ...this.#info],
    ]
      .map(family => family.text())
      .join('')
  }
}

/** Anybody may read it: it tells numbers alone. */
export const writeMetrics = (path: string, text: string): void => writeFileAtomic(path, text, { mode: 0o644 })
