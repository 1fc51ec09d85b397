/**
 * The daemon's parts put together: it hears of dumps (watch, nudge, schedule, kernel log), keeps the catalog in line with
 * the archive, has new dumps analysed, and keeps the archive within its limits. Each job may fail without ending the service.
 */
import { schedule, validate } from 'node-cron'
import { leaseBeat } from '../archive/lease.ts'
import { ConfigError, reasonOf } from '../base/errors.ts'
import { networkFileSystem } from '../base/network-fs.ts'
import { type Config, keys } from '../config/index.ts'
import { Arrivals } from './arrivals.ts'
import { DumpWork } from './dump-work.ts'
import { HeardCrashes } from './heard-crashes.ts'
import { Holdings } from './holdings.ts'
import type { LogRecord } from './kernel-log.ts'
import { KernelRecords } from './kernel-records.ts'
import type { Log } from './log.ts'
import { requireArchive } from './maintenance.ts'
import { Telling } from './monitor/telling.ts'
import { AnalysisQueue } from './queue.ts'
import { keepWithinLimits } from './retention.ts'
import { newestDays, Scanning } from './scanning.ts'
import type { SyncOptions } from './sync.ts'
import { Turns } from './turns.ts'
import { pollArchive, type Watch, type WatchEvents, watchArchive } from './watch.ts'

/** What a daemon keeps to from its start on. */
const fixed = new Set([
  'ArchiveDirectory',
  'StateDirectory',
  'RuntimeDirectory',
  'Group',
  'UserAccess',
  'KernelLog',
])

export interface ServiceOptions {
  config: Config
  log: Log
  /** Hears what the service is doing, for systemctl status. */
  onStatus?: (text: string) => void
  /** Hears now and then what was counted, as `metrics.prom` has it. */
  onCounts?: (text: string) => void
  /** Hears up to which line the kernel log is dealt with. */
  onKernelLog?: (sequence: number) => void
  /** Where the configuration was read, for children that read it themselves. */
  configPath?: string | undefined
  /** The analysing child's program, for tests. */
  program?: string | undefined
  /** Says whether the archive must be polled, for tests; by default by what it lies on. */
  fileSystem?: ((path: string) => string | undefined) | undefined
}

const countsMs = 15_000
/** More ids at once are not looked up one by one. */
const mostNudged = 50

export class Service {
  readonly #options: ServiceOptions
  readonly #holdings: Holdings
  readonly #queue: AnalysisQueue
  readonly #work: DumpWork
  readonly #arrivals: Arrivals
  readonly #scanning: Scanning
  /** It may take long, and scans don't wait for it. */
  readonly #retention: Turns
  readonly #telling: Telling
  readonly #timers: NodeJS.Timeout[] = []
  /** Ids of dumps that are looked up when the archive answers. */
  readonly #nudged = new Set<string>()
  #watch: Watch | undefined
  #watchTurn = Promise.resolve()
  #schedules: { stop(): void | Promise<void> }[] = []
  readonly #heard = new HeardCrashes()
  #kernelRecords: KernelRecords | undefined

  constructor(options: ServiceOptions) {
    const { config, log, program, configPath } = options
    this.#options = options
    this.#holdings = new Holdings({
      ...{ config: checkSchedules(config), log, onNewCatalog: () => void this.scan() },
    })
    const holdings = this.#holdings
    const onStatus = (text: string): void => options.onStatus?.(text)
    this.#telling = new Telling(holdings, configPath)
    this.#work = new DumpWork({ holdings, onStatus, program })
    this.#queue = new AnalysisQueue({
      store: holdings.store,
      catalog: () => holdings.catalog,
      parallel: () => holdings.config.analysis.parallel,
      patience: () => holdings.config.analysis.timeout * 2000,
      work: (row, signal) => this.#work.analyse(row, signal),
      onIdle: () => {
        onStatus('Waiting for dumps')
        this.#telling.soon()
      },
    })
    this.#arrivals = new Arrivals({
      ...{ holdings, queue: this.#queue, heard: this.#heard },
      look: () => this.#scanning.look(),
    })
    this.#scanning = new Scanning({ holdings, arrivals: this.#arrivals, queue: this.#queue })
    this.#retention = new Turns(holdings)
    this.#repeat(leaseBeat, () => void holdings.whenAnswering(() => holdings.leases.beat()))
  }

  /** Ready when it answers: the newest days are listed, and whatever arrives is heard of. */
  async start(): Promise<void> {
    await this.#startWatch()
    this.#startSchedules()
    await this.scan({ days: newestDays, failed: true })
    // Somebody else may have listed crashes before.
    await this.#arrivals.countNew()
    this.#repeat(countsMs, () => {
      this.#telling.look()
      this.#tellCounts()
      void this.#holdings.whenAnswering(() => this.#arrivals.countNew())
    })
    this.#tellCounts()
    void this.scan({ failed: true })
    // What an earlier daemon was killed over lies there plain.
    void this.#retention.take('Encryption', () => this.#work.encryptTheRest({ days: newestDays }))
  }

  /** Looks for what is new in the archive; all of it, or its newest days. */
  scan(options?: SyncOptions): Promise<void> {
    return this.#scanning.scan(options)
  }

  /** Somebody says that there is a dump of this id. Of many that have come while storage was silent a scan finds all. */
  nudge(id: string): void {
    const isFirst = this.#nudged.size === 0
    this.#nudged.add(id)
    if (!isFirst) return
    void this.#holdings.whenAnswering(() => {
      const ids = [...this.#nudged]
      this.#nudged.clear()
      if (ids.length > mostNudged) void this.scan()
      else for (const one of ids) this.#arrivals.onNudge(one)
    })
  }

  /** Records what the kernel log tells of crashes; `lines` are all that are not dealt with. */
  readKernelLog(lines: readonly LogRecord[]): void {
    void this.#holdings.whenAnswering(() => this.#record(lines))
  }

  /** The archive's file system was mounted anew: the watches are on what lies beneath, and the spool may come home. */
  remounted(): void {
    this.#watchAgain()
    void this.scan({ failed: true })
  }

  gc(): Promise<void> {
    return this.#retention.take('Retention', () => keepWithinLimits(this.#holdings, this.#work))
  }

  /** Takes on what can change while it runs; answers what can't, in sentences. */
  reload(config: Config): string[] {
    checkSchedules(config)
    const before = this.#holdings.config
    const next = { ...config }
    const asked = keys.filter(key => fixed.has(key.name) && key.write(config) !== key.write(before))
    for (const key of asked) key.read(next, key.write(before))
    this.#holdings.config = next
    this.#holdings.log.level = config.logLevel
    this.#startSchedules()
    this.#watchAgain()
    this.#queue.pump()
    return asked.map(
      ({ name, write }) => `A new ${name} takes a restart; going on with ${write(before) || 'none'}`,
    )
  }

  /** Analyses in hand may end within `graceMs`; after that they are handed back. */
  async stop(graceMs: number): Promise<void> {
    this.#holdings.beginToStop()
    for (const task of this.#schedules) await task.stop()
    await this.#watch?.close()
    await this.#queue.stop(graceMs)
    this.#telling.stop()
    await this.#scanning.stop()
    await this.#retention.over()
    for (const timer of this.#timers) clearInterval(timer)
    this.#holdings.catalog.close()
  }

  /** Hands back at once what is in hand. */
  abort(): void {
    this.#queue.abort()
  }

  #repeat(ms: number, work: () => void): void {
    this.#timers.push(setInterval(work, ms).unref())
  }

  #record(lines: readonly LogRecord[]): void {
    const { store, log } = this.#holdings
    try {
      requireArchive(store)
      this.#kernelRecords ??= this.#openKernelRecords()
      this.#kernelRecords.look(lines)
    } catch (error) {
      log.warning(`Could not record what the kernel log tells, trying again: ${reasonOf(error)}`)
    }
    this.#options.onKernelLog?.(this.#kernelRecords?.done ?? -1)
  }

  #openKernelRecords(): KernelRecords {
    const holdings = this.#holdings
    return new KernelRecords({
      store: holdings.store,
      spool: () => holdings.spool(),
      catalog: () => holdings.catalog,
      heard: this.#heard,
      state: holdings.config.state,
      patience: () => (2 * holdings.config.storageDeadline + 30) * 1000,
      onRecord: (ref, sentence) => {
        holdings.log.warning(`${sentence}; listed as ${ref.id}`)
        this.#arrivals.onDump(ref)
      },
    })
  }

  #tellCounts(): void {
    const { catalog, counts } = this.#holdings
    try {
      this.#options.onCounts?.(counts.text(catalog.list({ analysis: 'pending', limit: 100_000 }).length))
      this.#holdings.succeeded('counts')
    } catch (error) {
      this.#holdings.complainOf('counts', `Could not count the dumps that wait: ${reasonOf(error)}`)
    }
  }

  #watchAgain(): void {
    const { config, log } = this.#holdings
    this.#startWatch().catch(error =>
      log.error(`Cannot watch ${config.archive}, scanning as scheduled: ${reasonOf(error)}`),
    )
  }

  /** One after the other: each ends the watch before it. */
  #startWatch(): Promise<void> {
    const turn = this.#watchTurn.then(() => this.#watchAnew())
    this.#watchTurn = turn.catch(() => {})
    return turn
  }

  async #watchAnew(): Promise<void> {
    const { liveness, log, stopping } = this.#holdings
    await this.#watch?.close()
    await liveness.answers()
    if (stopping.aborted) return
    const { archive, scan } = this.#holdings.config
    const events: WatchEvents = {
      onDump: ref => void this.#holdings.whenAnswering(() => this.#arrivals.onDump(ref)),
      onLook: () => this.#scanning.look(),
      onProblem: sentence => log.warning(sentence),
    }
    const network = (this.#options.fileSystem ?? networkFileSystem)(archive)
    if (network) log.info(`${archive} lies on ${network}: polling it every ${scan.poll} s`)
    this.#watch = network ? pollArchive(scan.poll, events) : watchArchive(archive, scan.poll, events)
  }

  #startSchedules(): void {
    for (const task of this.#schedules) void task.stop()
    const { scan, retention } = this.#holdings.config
    const quiet = { noOverlap: true, suppressMissedWarning: true }
    this.#schedules = [
      schedule(scan.cron, () => this.scan(), quiet),
      schedule(retention.cron, () => this.gc(), quiet),
    ]
  }
}

function checkSchedules(config: Config): Config {
  for (const cron of [config.scan.cron, config.retention.cron])
    if (!validate(cron)) throw new ConfigError(`${JSON.stringify(cron)} is not a cron expression`)
  return config
}
