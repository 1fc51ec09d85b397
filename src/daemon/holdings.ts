/** What the daemon's jobs share: archive, catalog, the settings of the moment, and whom to tell of what is amiss. */
import { type DumpRef, type LocalStore, openLocalStore } from '../archive/index.ts'
import { Leases } from '../archive/lease.ts'
import type { OnUnlisted } from '../archive/store.ts'
import { reasonOf } from '../base/errors.ts'
import { type Catalog, isDamage } from '../catalog/index.ts'
import { type Config, spoolRoot } from '../config/index.ts'
import { Liveness } from './liveness.ts'
import type { Log } from './log.ts'
import { openArchive, openOwnCatalog, putAside } from './maintenance.ts'
import { Counts } from './monitor/counts.ts'
import type { EventName } from './monitor/journal.ts'

export interface HoldingsOptions {
  readonly config: Config
  readonly log: Log
  /** Told of a catalog that was begun anew, and is empty. */
  readonly onNewCatalog: () => void
}

export class Holdings {
  readonly log: Log
  readonly store: LocalStore
  readonly leases: Leases
  readonly liveness: Liveness
  readonly counts = new Counts()
  /** Replaced when the configuration is read again. */
  config: Config
  /** A scan has gone through all of the archive: what the catalog does not have was never there. */
  isCatalogWhole = false
  readonly #onNewCatalog: () => void
  readonly #stopping = new AbortController()
  readonly #complained = new Set<string>()
  #catalog: Catalog

  constructor({ config, log, onNewCatalog }: HoldingsOptions) {
    this.config = config
    this.log = log
    this.store = openArchive(config)
    this.leases = new Leases(this.store)
    this.liveness = new Liveness(config.archive)
    this.#onNewCatalog = onNewCatalog
    this.#catalog = openOwnCatalog(config, log)
  }

  /** Asked each time: a damaged one is replaced. */
  get catalog(): Catalog {
    return this.#catalog
  }

  /** Dumps that handlers put on this machine's own disk while the archive took none, or no more. */
  spool(): LocalStore {
    return openLocalStore(spoolRoot(this.config), { group: this.config.group })
  }

  /** Aborted when the daemon is to end. */
  get stopping(): AbortSignal {
    return this.#stopping.signal
  }

  beginToStop(): void {
    this.#stopping.abort()
  }

  /** Nothing is begun that would wait for storage, nor after the end. */
  async whenAnswering(work: () => void): Promise<void> {
    await this.liveness.answers()
    if (!this.stopping.aborted) work()
  }

  /** Of each dump once, and of each event once more: the scan comes upon it every few minutes. */
  complain({ id }: Pick<DumpRef, 'id'>, sentence: string, event?: EventName): void {
    if (!this.#isFirst(event === undefined ? id : `${event} ${id}`)) return
    if (event === undefined) this.log.warning(sentence)
    else this.log.event(event, sentence, { GOCORE_SINK_ID: id })
  }

  /** Of each directory once, as of dumps. */
  readonly onUnlisted: OnUnlisted = (directory, error) =>
    this.complainOf(directory, `${reasonOf(error)}; going on without what lies there`)

  /** Of a job that is tried again and again, once until it succeeds. */
  complainOf(job: string, sentence: string): void {
    if (this.#isFirst(job)) this.log.warning(sentence)
  }

  succeeded(job: string): void {
    this.#complained.delete(job)
  }

  #isFirst(key: string): boolean {
    if (this.#complained.has(key)) return false
    this.#complained.add(key)
    return true
  }

  /** A catalog whose file was deleted or replaced, by a reindex say, is left for the one that is there now. */
  followCatalog(): void {
    if (!this.#catalog.isReplaced()) return
    this.#catalog.close()
    this.log.warning('The catalog was deleted or replaced: going on with the one in its place')
    this.#openAnother()
  }

  /** A catalog that turns out damaged is begun anew, from the archive. */
  mend(error: unknown): void {
    if (!isDamage(error)) return
    try {
      this.#catalog.close()
      this.log.warning(`The catalog is damaged: kept it as ${putAside(this.config)}, building a new one`)
      this.#openAnother()
    } catch (next) {
      this.log.error(`Could not begin a new catalog: ${reasonOf(next)}`)
    }
  }

  #openAnother(): void {
    this.#catalog = openOwnCatalog(this.config, this.log)
    this.isCatalogWhole = false
    this.#onNewCatalog()
  }
}
