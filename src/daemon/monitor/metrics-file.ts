/**
 * `RUN/metrics.prom`, for node_exporter's textfile collector: what the thread that works has counted, as far as it has said,
 * and the numbers of the moment, which are known whatever storage does. `gocore-sink(7)` lists the metrics.
 */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../../base/atomic-file.ts'
import { toolVersion } from '../../base/version.ts'
import { Values } from './exposition.ts'
import type { Room, SpoolStanding } from './standing.ts'

/** Undefined where it is not known: the line is left out. */
export interface Standing {
  readonly archive: { readonly answers: boolean; readonly room: Room | undefined }
  readonly state: { readonly answers: boolean; readonly spool: SpoolStanding | undefined }
  /** Since the last sign of life of the thread that works, seconds. */
  readonly silent: number
}

export class MetricsFile {
  readonly #path: string
  readonly #spoolBytes = new Values('gocore_sink_spool_bytes', 'gauge', 'Bytes in the local spool.')
  readonly #spoolAge = new Values(
    'gocore_sink_spool_oldest_seconds',
    'gauge',
    'Age of the oldest file in the spool; 0 for an empty one.',
  )
  readonly #archiveUp = new Values(
    'gocore_sink_archive_up',
    'gauge',
    'Whether the archive is there and answers.',
  )
  readonly #stateUp = new Values(
    'gocore_sink_state_up',
    'gauge',
    'Whether the state directory answers, where the spool and the catalog are.',
  )
  readonly #free = new Values('gocore_sink_archive_free_bytes', 'gauge', 'Room that is left in the archive.')
  readonly #size = new Values('gocore_sink_archive_size_bytes', 'gauge', "Size of the archive's file system.")
  readonly #silent = new Values(
    'gocore_sink_silent_seconds',
    'gauge',
    "Age of the last sign of life of the daemon's work: what grows waits for storage, or hangs.",
  )
  readonly #started = new Values(
    'gocore_sink_start_time_seconds',
    'gauge',
    'When the daemon started; counts begin there.',
  ).set(Math.floor(Date.now() / 1000))
  readonly #build = new Values('gocore_sink_build_info', 'gauge', 'Version of the daemon.').set(1, {
    version: toolVersion,
  })

  constructor(run: string) {
    this.#path = join(run, 'metrics.prom')
  }

  /** Throws where it can't be written: nobody's loss but monitoring's, which sees an old file. */
  write(counts: string, { archive, state, silent }: Standing): void {
    const { spool } = state
    this.#archiveUp.set(archive.answers ? 1 : 0)
    this.#free.set(archive.room?.free)
    this.#size.set(archive.room?.size)
    this.#stateUp.set(state.answers ? 1 : 0)
    this.#spoolBytes.set(spool?.bytes)
    this.#spoolAge.set(
      spool && (spool.oldest === undefined ? 0 : Math.max(0, Date.now() - spool.oldest) / 1000),
    )
    this.#silent.set(Math.round(silent))
    const families = [
      ...[this.#spoolBytes, this.#spoolAge, this.#stateUp, this.#archiveUp, this.#free, this.#size],
      ...[this.#silent, this.#started, this.#build],
    ]
    // Anybody may read it: it tells numbers alone.
    writeFileAtomic(this.#path, counts + families.map(family => family.text()).join(''), { mode: 0o644 })
  }

  /** What can't be removed is an old file to monitoring, and no failure of the daemon's end. */
  remove(): void {
    try {
      rmSync(this.#path, { force: true })
    } catch {
      // Nobody is left to try again.
    }
  }
}
