/** Looks through the archive for what is new, ends what handlers left behind, and has the spool brought home. */
import type { DumpRef, LocalStore } from '../archive/index.ts'
import type { OnUnlisted } from '../archive/store.ts'
import { reasonOf } from '../base/errors.ts'
import { spoolRoot } from '../config/index.ts'
import type { Arrivals } from './arrivals.ts'
import { earlierBoots } from './boots.ts'
import type { Holdings } from './holdings.ts'
import { requireArchive } from './maintenance.ts'
import type { AnalysisQueue } from './queue.ts'
import { begunIds, type RecoverOptions, recoverSteps } from './recover.ts'
import { Rotation } from './rotation.ts'
import { Shipping } from './shipping.ts'
import { takeTurns } from './steps.ts'
import { type SyncOptions, syncCatalog } from './sync.ts'
import { Turns } from './turns.ts'

/** Of which a scan asks whether they were changed: a tenth of a second on a disk, some seconds on a network file system. */
const manifestsPerScan = 20_000
/** Work that a look at the newest days covers. */
export const newestDays = 2

export interface ScanningOptions {
  readonly holdings: Holdings
  readonly arrivals: Arrivals
  readonly queue: AnalysisQueue
}

export class Scanning {
  readonly #options: ScanningOptions
  readonly #turns: Turns
  readonly #shipping: Shipping
  readonly #rotation = new Rotation(manifestsPerScan)
  readonly #watched: NonNullable<RecoverOptions['watched']> = new Map()
  readonly #boots: ReadonlySet<string>
  #lookWaits = false

  constructor(options: ScanningOptions) {
    const { holdings } = options
    this.#options = options
    this.#boots = bootsOf(holdings)
    this.#turns = new Turns(holdings)
    this.#shipping = new Shipping({
      spool: () => holdings.spool(),
      archive: holdings.store,
      leases: holdings.leases,
      answers: () => holdings.liveness.answers(),
      rate: () => holdings.config.shipRate,
      onHome: ref => this.#onHome(ref),
      onFailed: (ref, why) => this.#onStays(ref, why),
      onApart: (ref, why) => this.#onApart(ref, why),
      onProblem: sentence => holdings.log.warning(sentence),
      onBroken: ({ id, day }, error) =>
        holdings.complainOf(
          `manifest of ${id} in the spool`,
          `Could not read dump ${id} of ${day} in ${spoolRoot(holdings.config)}, it stays there: ${reasonOf(error)}`,
        ),
      onUnlisted: holdings.onUnlisted,
    })
  }

  /** Looks for what is new in the archive; all of it, or its newest days. */
  scan(options: SyncOptions = {}): Promise<void> {
    const { holdings, arrivals, queue } = this.#options
    const { store, log } = holdings
    return this.#turns.take('Scan of the archive', async () => {
      // From here on, what is heard of may be missed by this one.
      if (options.days !== undefined) this.#lookWaits = false
      requireArchive(store)
      holdings.followCatalog()
      await this.#bringHome()
      if (options.days === undefined) await this.#recover(store)
      const { catalog } = holdings
      const { added, changed, removed, broken } = await syncCatalog(store, catalog, {
        ...options,
        rotation: this.#rotation,
        onUnlisted: holdings.onUnlisted,
      })
      if (options.days === undefined && holdings.catalog === catalog) holdings.isCatalogWhole = true
      for (const { ref, reason } of broken)
        holdings.complain(ref, `Could not read dump ${ref.id} of ${ref.day}, not listing it: ${reason}`)
      if (added > 0) await arrivals.countNew()
      if (added + changed + removed > 0)
        log.info(`Catalog: ${added} dumps added, ${changed} changed, ${removed} removed`)
      queue.pump()
    })
  }

  /** Looks at the newest days. At most one look waits at a time. */
  look(): void {
    if (this.#lookWaits) return
    this.#lookWaits = true
    void this.scan({ days: newestDays })
  }

  /** Resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    await this.#shipping.stop()
    await this.#turns.over()
  }

  async #bringHome(): Promise<void> {
    await this.#recover(this.#options.holdings.spool())
    this.#shipping.look()
  }

  async #recover(store: LocalStore): Promise<void> {
    const { holdings } = this.#options
    const known = (day: string): string[] => holdings.catalog.ids(day)
    const spool = holdings.spool()
    // What the spool has more of is no leftover of the archive's.
    const own = store.root === spool.root
    const gaps: string[] = []
    const onGap: OnUnlisted = (directory, error) => {
      gaps.push(directory)
      holdings.onUnlisted(directory, error)
    }
    const leave = own ? new Set<string>() : begunIds(spool, onGap)
    if (gaps.length > 0) return
    const options = {
      ...{ known, leave, own, boots: this.#boots, watched: this.#watched, onUnlisted: holdings.onUnlisted },
      ...(own ? {} : { claim: (id: string) => holdings.leases.take(id) }),
    }
    for (const { ref, what } of await takeTurns(recoverSteps(store, options)))
      holdings.complain(ref, `Dump ${ref.id}: ${what}`)
  }

  #onHome(ref: DumpRef): void {
    const { holdings, arrivals } = this.#options
    holdings.counts.shipped('done')
    const sentence = `Brought dump ${ref.id} home from ${spoolRoot(holdings.config)}`
    holdings.log.event('spool-shipped', sentence, { GOCORE_SINK_ID: ref.id })
    arrivals.onDump(ref)
  }

  #onApart({ id }: DumpRef, why: string): void {
    const { holdings } = this.#options
    const what = `Could not join what ${spoolRoot(holdings.config)} holds of dump ${id} with what the archive has`
    holdings.complainOf(`joining of ${id}`, `${what}, keeping both: ${why}`)
  }

  #onStays(ref: DumpRef, why: string): void {
    const { holdings } = this.#options
    holdings.counts.shipped('failed')
    const sentence = `Could not bring dump ${ref.id} home from ${spoolRoot(holdings.config)}, it stays there: ${why}`
    holdings.complain(ref, sentence, 'spool-stays')
  }
}

function bootsOf({ config, log }: Holdings): ReadonlySet<string> {
  try {
    return earlierBoots(config.state)
  } catch (error) {
    log.warning(`Could not note this boot in ${config.state}/boots: ${reasonOf(error)}`)
    return new Set()
  }
}
