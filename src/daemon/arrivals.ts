/** What is done when the daemon hears of a dump: it is looked up, listed, told of, and waits for its analysis. */
import { hostname } from 'node:os'
import { type DumpRef, latestDays } from '../archive/index.ts'
import { reasonOf } from '../base/errors.ts'
import type { CrashRow } from '../catalog/index.ts'
import type { HeardCrashes } from './heard-crashes.ts'
import type { Holdings } from './holdings.ts'
import type { EventName } from './monitor/journal.ts'
import type { AnalysisQueue } from './queue.ts'
import { syncDump } from './sync.ts'

/** Where a dump is looked for that somebody names without its day, before all days are gone through. */
const newestDays = 2
/** What was listed later than this after its crash is another daemon's, or of a catalog that is made anew. */
const newsMs = 7 * 24 * 60 * 60_000

export interface ArrivalsOptions {
  readonly holdings: Holdings
  readonly queue: AnalysisQueue
  /** Looks for dumps that somebody told of and that are not where they should be. */
  readonly look: () => void
  readonly heard: HeardCrashes
}

export class Arrivals {
  readonly #options: ArrivalsOptions

  constructor(options: ArrivalsOptions) {
    this.#options = options
  }

  /** Somebody says that there is a dump of this id. */
  onNudge(id: string): void {
    const { holdings, look } = this.#options
    const { store, log } = holdings
    try {
      const days = latestDays(store.days(), newestDays)
      const newest = days.find(candidate => store.ids(candidate).includes(id))
      // An imported dump bears the day of its crash.
      const day = newest ?? store.find(id)[0]?.day
      if (day === undefined) look()
      else this.onDump({ id, day }, true)
    } catch (error) {
      log.warning(`Could not look for dump ${id}, leaving it to the next scan: ${reasonOf(error)}`)
    }
  }

  /** A dump is there, or has changed; `asked`: somebody waits for its analysis. */
  onDump(ref: DumpRef, asked = false): void {
    const { holdings, queue } = this.#options
    const { store, catalog, log } = holdings
    try {
      const isKnown = catalog.get(ref.id) !== undefined
      const row = syncDump(store, catalog, ref)
      if (row && !isKnown) this.onAdded(row)
      if (asked) queue.prefer(ref.id)
      else queue.pump()
    } catch (error) {
      log.warning(`Could not list dump ${ref.id}, leaving it to the next scan: ${reasonOf(error)}`)
      holdings.mend(error)
    }
  }

  /** Of each crash of this machine once, when it is listed: counted, and told to the journal. */
  onAdded(row: CrashRow): void {
    if (row.host !== hostname() || Date.now() - row.time > newsMs) return
    const { holdings, heard } = this.#options
    const { counts, log, store } = holdings
    counts.crash(row)
    try {
      heard.add(store.readManifest(row))
    } catch {
      // It was removed in this moment.
    }
    const { id, comm, pid, uid, signalName, coreState, coreReason } = row
    const kept =
      coreState === 'complete'
        ? ''
        : `, its core is ${coreState === 'none' ? 'not there' : 'cut'} (${coreReason})`
    log.event(eventOf[coreState], `Dump ${id} arrived: ${comm}, pid ${pid}, ${signalName}${kept}`, {
      ...{ GOCORE_SINK_ID: id, GOCORE_SINK_PID: pid, GOCORE_SINK_UID: uid, GOCORE_SINK_COMM: comm },
      ...{
        GOCORE_SINK_SIGNAL: row.signal,
        GOCORE_SINK_CORE: coreState,
        GOCORE_SINK_REASON: coreReason ?? undefined,
      },
    })
  }
}

const eventOf = {
  complete: 'crash-recorded',
  truncated: 'crash-cut',
  none: 'crash-without-core',
} as const satisfies Record<CrashRow['coreState'], EventName>
