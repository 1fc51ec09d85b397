/** What is done when the daemon hears of a dump: it is looked up, listed, told of, and waits for its analysis. */
import { join } from 'node:path'
import { type DumpRef, latestDays } from '../archive/index.ts'
import { reasonOf } from '../base/errors.ts'
import type { CrashRow } from '../catalog/index.ts'
import type { HeardCrashes } from './heard-crashes.ts'
import type { Holdings } from './holdings.ts'
import { CrashRoll } from './monitor/crash-roll.ts'
import type { EventName } from './monitor/journal.ts'
import type { AnalysisQueue } from './queue.ts'
import { isImported, manifestOf } from './row.ts'
import { Turn } from './steps.ts'
import { syncDump } from './sync.ts'

/** Where a dump is looked for that somebody names without its day, before all days are gone through. */
const newestDays = 2

export interface ArrivalsOptions {
  readonly holdings: Holdings
  readonly queue: AnalysisQueue
  /** Looks for dumps that somebody told of and that are not where they should be. */
  readonly look: () => void
  readonly heard: HeardCrashes
}

export class Arrivals {
  readonly #options: ArrivalsOptions
  readonly #counted: CrashRoll

  constructor(options: ArrivalsOptions) {
    const { holdings } = options
    this.#options = options
    this.#counted = new CrashRoll({
      path: join(holdings.config.state, 'counted'),
      catalog: () => holdings.catalog,
      risk: 'crashes may be counted again after a restart',
      onProblem: sentence => holdings.log.warning(sentence),
    })
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
      const row = syncDump(store, catalog, ref)
      if (row && this.#counted.lacks(row)) this.#count(row)
      if (asked) queue.prefer(ref.id)
      else queue.pump()
    } catch (error) {
      log.warning(`Could not list dump ${ref.id}, leaving it to the next scan: ${reasonOf(error)}`)
      holdings.mend(error)
    }
  }

  /** Of each crash of this machine once, whoever has listed it. */
  async countNew(): Promise<void> {
    const { holdings } = this.#options
    const turn = new Turn()
    try {
      for (const row of this.#counted.missing()) {
        if (holdings.stopping.aborted) return
        this.#count(row)
        await turn.pass()
      }
      holdings.succeeded('counting')
    } catch (error) {
      holdings.complainOf('counting', `Could not count new crashes, trying again: ${reasonOf(error)}`)
      holdings.mend(error)
    }
  }

  #count(row: CrashRow): void {
    const { holdings, heard } = this.#options
    const manifest = manifestOf(holdings.store, row)
    if (!isImported(manifest)) {
      holdings.counts.crash(row)
      if (manifest) heard.add(manifest)
      this.#tell(row)
    }
    this.#counted.add(row.id)
  }

  #tell(row: CrashRow): void {
    const { id, comm, pid, uid, signalName, coreState, coreReason } = row
    const kept =
      coreState === 'complete'
        ? ''
        : `, its core is ${coreState === 'none' ? 'not there' : 'cut'} (${coreReason})`
    const { log } = this.#options.holdings
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
