/**
 * The daemon's parts put together: it hears of dumps (watch, nudge, schedule, kernel log), keeps the catalog in line with
 * the archive, has new dumps analysed, and keeps the archive within its limits. Each job may fail without ending the service.
 */
import { join } from 'node:path'
import { schedule, validate } from 'node-cron'
import { leaseBeat } from '../archive/lease.ts'
import { ConfigError, reasonOf } from '../base/errors.ts'
import { networkFileSystem } from '../base/network-fs.ts'
import { type Config, spoolRoot } from '../config/index.ts'
import { Arrivals } from './arrivals.ts'
import { DumpWork } from './dump-work.ts'
import { Holdings } from './holdings.ts'
import { KernelRecords } from './kernel-records.ts'
import type { Log } from './log.ts'
import { requireArchive } from './maintenance.ts'
import { writeMetrics } from './monitor/metrics.ts'
import { Room, spoolStanding } from './monitor/standing.ts'
import { Telling } from './monitor/telling.ts'
import { listenForNudges } from './nudge.ts'
import { AnalysisQueue } from './queue.ts'
import { keepWithinLimits } from './retention.ts'
import { newestDays, Scanning } from './scanning.ts'
import type { SyncOptions } from './sync.ts'
import { Turns } from './turns.ts'
import { pollArchive, type Watch, type WatchEvents, watchArchive } from './watch.ts'

export interface ServiceOptions {
  config: Config
  log: Log
  /** Hears what the service is doing, for systemctl status. */
  onStatus?: (text: string) => void
  /** Where the configuration was read, for children that read it themselves. */
  configPath?: string | undefined
  /** The analysing child's program, for tests. */
  program?: string | undefined
  /** Says whether the archive must be polled, for tests; by default by what it lies on. */
  fileSystem?: ((path: string) => string | undefined) | undefined
}

const kernelLogMs = 5000
const metricsMs = 15_000

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
  readonly #room: Room
  readonly #timers: NodeJS.Timeout[] = []
  #watch: Watch | undefined
  #nudges: AsyncDisposable | undefined
  #schedules: { stop(): void | Promise<void> }[] = []
  #isSilent = false
  #kernelRecords: KernelRecords | undefined

  constructor(options: ServiceOptions) {
    const { config, log, program, configPath } = options
    this.#options = options
    this.#holdings = new Holdings({
      ...{ config: checkSchedules(config), log },
      onSilence: isSilent => this.#onSilence(isSilent),
      onNewCatalog: () => void this.scan(),
    })
    const holdings = this.#holdings
    const onStatus = (text: string): void => options.onStatus?.(text)
    this.#room = new Room(config.archive)
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
    this.#arrivals = new Arrivals({ holdings, queue: this.#queue, look: () => this.#scanning.look() })
    this.#scanning = new Scanning({ holdings, arrivals: this.#arrivals, queue: this.#queue })
    this.#retention = new Turns(holdings)
    this.#repeat(leaseBeat, () => void holdings.whenAnswering(() => holdings.leases.beat()))
  }

  /** Ready when it answers: the newest days are listed, and whatever arrives is heard of. */
  async start(): Promise<void> {
    const holdings = this.#holdings
    this.#nudges = await listenForNudges(holdings.config.run, id => {
      void holdings.whenAnswering(() => this.#arrivals.onNudge(id))
    })
    await this.#startWatch()
    this.#startSchedules()
    await this.scan({ days: newestDays, failed: true })
    this.#startKernelLog()
    this.#repeat(metricsMs, () => {
      this.#writeMetrics()
      this.#telling.look()
    })
    this.#writeMetrics()
    void this.scan({ failed: true })
  }

  /** Looks for what is new in the archive; all of it, or its newest days. */
  scan(options?: SyncOptions): Promise<void> {
    return this.#scanning.scan(options)
  }

  gc(): Promise<void> {
    return this.#retention.take('Retention', () => keepWithinLimits(this.#holdings, this.#work))
  }

  /** Takes on what can change while it runs; answers what can't, in sentences. */
  reload(config: Config): string[] {
    checkSchedules(config)
    const { archive, state, run } = this.#holdings.config
    const fixed = Object.entries({ archive, state, run }) as ['archive' | 'state' | 'run', string][]
    const asked = fixed.filter(([key, value]) => config[key] !== value)
    this.#holdings.config = { ...config, archive, state, run }
    this.#holdings.log.level = config.logLevel
    this.#startSchedules()
    this.#startWatch().catch(error =>
      this.#holdings.log.error(`Cannot watch ${archive}, scanning as scheduled: ${reasonOf(error)}`),
    )
    this.#queue.pump()
    return asked.map(([key, value]) => `A new ${key} directory takes a restart; going on with ${value}`)
  }

  /** Analyses in hand may end within `graceMs`; after that they are handed back. */
  async stop(graceMs: number): Promise<void> {
    this.#holdings.beginToStop()
    for (const task of this.#schedules) await task.stop()
    await this.#watch?.close()
    await this.#nudges?.[Symbol.asyncDispose]()
    await this.#queue.stop(graceMs)
    this.#telling.stop()
    await this.#scanning.stop()
    await this.#retention.over()
    this.#kernelRecords?.[Symbol.dispose]()
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

  #startKernelLog(): void {
    const holdings = this.#holdings
    const { config, log } = holdings
    if (!config.kernelLog) return
    try {
      this.#kernelRecords = new KernelRecords({
        store: holdings.store,
        spool: () => holdings.spool(),
        catalog: () => holdings.catalog,
        state: config.state,
        patience: () => (2 * holdings.config.storageDeadline + 30) * 1000,
        onRecord: (ref, sentence) => {
          log.warning(`${sentence}; listed as ${ref.id}`)
          this.#arrivals.onDump(ref)
        },
        onProblem: sentence => log.warning(sentence),
      })
      this.#repeat(kernelLogMs, () => void holdings.whenAnswering(() => this.#readKernelLog()))
    } catch (error) {
      log.warning(
        `Cannot read the kernel log, crashes that it alone tells of are not recorded: ${reasonOf(error)}`,
      )
    }
  }

  #readKernelLog(): void {
    const { store, log } = this.#holdings
    try {
      requireArchive(store)
      this.#kernelRecords?.look()
    } catch (error) {
      log.warning(`Could not record what the kernel log tells, trying again: ${reasonOf(error)}`)
    }
  }

  #onSilence(isSilent: boolean): void {
    const { config, log } = this.#holdings
    const { archive } = config
    if (isSilent) log.event('archive-silent', `${archive} does not answer, waiting for it`)
    else log.event('archive-answers', `${archive} answers again`)
    this.#isSilent = isSilent
    this.#writeMetrics()
    this.#options.onStatus?.(isSilent ? `Waiting for ${archive}, which does not answer` : 'Waiting for dumps')
  }

  /** Numbers that can't be written are nobody's loss but monitoring's, which sees an old file. */
  #writeMetrics(): void {
    const holdings = this.#holdings
    const job = 'metrics'
    try {
      const room = this.#room.look()
      const answers = !this.#isSilent
      const text = holdings.metrics.text({
        backlog: holdings.catalog.list({ analysis: 'pending', limit: 100_000 }).length,
        spool: spoolStanding(spoolRoot(holdings.config)),
        archive: { answers, ...(answers ? room : {}) },
      })
      writeMetrics(join(holdings.config.run, 'metrics.prom'), text)
      holdings.succeeded(job)
    } catch (error) {
      holdings.complainOf(job, `Could not write metrics.prom: ${reasonOf(error)}`)
    }
  }

  async #startWatch(): Promise<void> {
    await this.#watch?.close()
    const { liveness, log, config } = this.#holdings
    await liveness.answers()
    const { archive, scan } = config
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
