/**
 * The daemon's parts put together: it hears of dumps (watch, nudge, schedule), keeps the catalog in line with the archive,
 * has new dumps analysed, and keeps the archive within its limits. Each job may fail without ending the service.
 */
import { hostname } from 'node:os'
import { join } from 'node:path'
import { schedule, validate } from 'node-cron'
import { type DumpRef, type LocalStore, openLocalStore } from '../archive/index.ts'
import { Leases, leaseBeat } from '../archive/lease.ts'
import { ArchiveError, ConfigError, reasonOf } from '../base/errors.ts'
import { networkFileSystem } from '../base/network-fs.ts'
import { type Catalog, type CrashRow, isDamage } from '../catalog/index.ts'
import { type Config, outboxOf, spoolRoot } from '../config/index.ts'
import { analyseDump } from './analyse.ts'
import { encryptDump, hasPlainRest, isPlain } from './encrypt.ts'
import { runGc } from './gc.ts'
import { KernelRecords } from './kernel-records.ts'
import { Liveness } from './liveness.ts'
import type { Log } from './log.ts'
import { openArchive, openOwnCatalog, putAside, requireArchive } from './maintenance.ts'
import { Delivery, deliveryGroup } from './monitor/delivery.ts'
import type { EventName } from './monitor/journal.ts'
import { Metrics, writeMetrics } from './monitor/metrics.ts'
import { News } from './monitor/news.ts'
import { Outbox } from './monitor/outbox.ts'
import { Room, spoolStanding } from './monitor/standing.ts'
import { listenForNudges } from './nudge.ts'
import { AnalysisQueue } from './queue.ts'
import { begunIds, type RecoverOptions, recoverDumps } from './recover.ts'
import { Rotation } from './rotation.ts'
import { Shipping } from './shipping.ts'
import { type ShrinkOutcome, shrinker } from './shrink.ts'
import { type SyncOptions, syncCatalog, syncDump } from './sync.ts'
import { pollArchive, type Watch, watchArchive } from './watch.ts'

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

/** Of which a scan asks whether they were changed: a tenth of a second on a disk, some seconds on a network file system. */
const manifestsPerScan = 20_000
/** Work that a look at the newest days covers. */
const newestDays = 2
const kernelLogMs = 5000
const metricsMs = 15_000
/** Crashes that are analysed one after the other are told together. */
const hooksMs = 500
/** What was listed later than this after its crash is another daemon's, or of a catalog that is made anew. */
const newsMs = 7 * 24 * 60 * 60_000

export class Service {
  readonly #log: Log
  readonly #options: ServiceOptions
  readonly #store: LocalStore
  readonly #liveness: Liveness
  readonly #queue: AnalysisQueue
  readonly #leases: Leases
  readonly #beat: NodeJS.Timeout
  #logLook: NodeJS.Timeout | undefined
  readonly #shipping: Shipping
  readonly #metrics = new Metrics()
  readonly #room: Room
  #metricsLook: NodeJS.Timeout | undefined
  #hooksLook: NodeJS.Timeout | undefined
  readonly #news: News
  readonly #delivery: Delivery
  #config: Config
  #catalog: Catalog
  #watch: Watch | undefined
  #nudges: AsyncDisposable | undefined
  readonly #rotation = new Rotation(manifestsPerScan)
  #schedules: { stop(): void | Promise<void> }[] = []
  /** Scans run one after another, and so does retention; it may take long, and scans don't wait for it. */
  readonly #turns = { scan: Promise.resolve(), retention: Promise.resolve() }
  #lookWaits = false
  #isSilent = false
  readonly #stopping = new AbortController()
  readonly #complained = new Set<string>()
  #kernelRecords: KernelRecords | undefined
  readonly #watched: NonNullable<RecoverOptions['watched']> = new Map()

  constructor(options: ServiceOptions) {
    this.#options = options
    this.#log = options.log
    this.#config = checkSchedules(options.config)
    this.#store = openArchive(this.#config)
    this.#liveness = new Liveness(this.#config.archive, { onSilence: isSilent => this.#onSilence(isSilent) })
    this.#room = new Room(this.#config.archive)
    this.#catalog = openOwnCatalog(this.#config, this.#log)
    const onProblem = (sentence: string): void => this.#log.warning(sentence)
    this.#news = new News({
      ...{ config: () => this.#config, catalog: () => this.#catalog, gid: deliveryGroup(), onProblem },
    })
    this.#delivery = new Delivery({ configPath: options.configPath, onProblem })
    this.#leases = new Leases(this.#store)
    this.#beat = setInterval(() => void this.#whenAnswering(() => this.#leases.beat()), leaseBeat).unref()
    this.#shipping = new Shipping({
      spool: () => this.#spool(),
      archive: this.#store,
      leases: this.#leases,
      answers: () => this.#liveness.answers(),
      rate: () => this.#config.shipRate,
      onHome: ref => {
        this.#metrics.shipped('done')
        this.#log.event('spool-shipped', `Brought dump ${ref.id} home from ${spoolRoot(this.#config)}`, {
          GOCORE_SINK_ID: ref.id,
        })
        this.#onDump(ref)
      },
      onFailed: (ref, why) => {
        this.#metrics.shipped('failed')
        this.#complain(
          ref,
          `Could not bring dump ${ref.id} home from ${spoolRoot(this.#config)}, it stays there: ${why}`,
          'spool-stays',
        )
      },
      onProblem: sentence => this.#log.warning(sentence),
    })
    this.#queue = new AnalysisQueue({
      store: this.#store,
      catalog: () => this.#catalog,
      parallel: () => this.#config.analysis.parallel,
      patience: () => this.#config.analysis.timeout * 2000,
      work: (row, signal) => this.#analyse(row, signal),
      onIdle: () => {
        options.onStatus?.('Waiting for dumps')
        this.#hooksLook ??= setTimeout(() => this.#tellHooks(), hooksMs).unref()
      },
    })
  }

  /** Ready when it answers: the newest days are listed, and whatever arrives is heard of. */
  async start(): Promise<void> {
    this.#nudges = await listenForNudges(this.#config.run, id => {
      void this.#whenAnswering(() => this.#onNudge(id))
    })
    await this.#startWatch()
    this.#startSchedules()
    await this.scan({ days: newestDays, failed: true })
    this.#startKernelLog()
    this.#metricsLook = setInterval(() => {
      this.#writeMetrics()
      this.#tellHooks()
    }, metricsMs).unref()
    this.#writeMetrics()
    void this.scan({ failed: true })
    // What an earlier daemon was killed over lies there plain.
    const lately = new Date(Date.now() - newestDays * 86_400_000)
    void this.#inTurn('Encryption', () => this.#encryptTheRest(lately), 'retention')
  }

  /** Looks for what is new in the archive; all of it, or its newest days. */
  scan(options: SyncOptions = {}): Promise<void> {
    return this.#inTurn('Scan of the archive', async () => {
      // From here on, what is heard of may be missed by this one.
      if (options.days !== undefined) this.#lookWaits = false
      requireArchive(this.#store)
      this.#bringHome()
      if (options.days === undefined) this.#recover(this.#store)
      const onAdded = (row: CrashRow): void => this.#onAdded(row)
      const result = await syncCatalog(this.#store, this.#catalog, {
        ...options,
        rotation: this.#rotation,
        onAdded,
      })
      const { added, changed, removed, broken } = result
      for (const { ref, reason } of broken)
        this.#complain(ref, `Could not read dump ${ref.id} of ${ref.day}, not listing it: ${reason}`)
      if (added + changed + removed > 0)
        this.#log.info(`Catalog: ${added} dumps added, ${changed} changed, ${removed} removed`)
      this.#queue.pump()
    })
  }

  gc(): Promise<void> {
    const work = async (): Promise<void> => {
      requireArchive(this.#store)
      await this.#encryptTheRest()
      const { signal } = this.#stopping
      const result = await runGc({
        store: this.#store,
        catalog: this.#catalog,
        policy: this.#config.retention,
        shrink: (ref, reason) => this.#shrink(ref, reason),
        signal,
      })
      for (const { action, kind, name, reason, failed } of result.actions) {
        const isShrunk = action === 'shrink'
        this.#metrics.retention(failed ? 'failed' : isShrunk ? 'shrink' : 'delete')
        if (failed) this.#log.warning(`Could not ${action} ${kind} ${name} (${reason}): ${failed}`)
        else
          this.#log.event(
            isShrunk ? 'dump-shrunk' : 'dump-deleted',
            `${isShrunk ? 'Shrunk' : 'Deleted'} ${kind} ${name}: ${reason}`,
            kind === 'dump' ? { GOCORE_SINK_ID: name } : {},
          )
      }
    }
    return this.#inTurn('Retention', work, 'retention')
  }

  async #shrink(ref: DumpRef, reason: string): Promise<ShrinkOutcome> {
    const { analysis } = this.#config
    const { signal } = this.#stopping
    const outcome = await shrinker(this.#store, this.#leases, { analysis, signal })(ref, reason)
    syncDump(this.#store, this.#catalog, ref)
    return outcome
  }

  /** Takes on what can change while it runs; answers what can't, in sentences. */
  reload(config: Config): string[] {
    checkSchedules(config)
    const fixed = (['archive', 'state', 'run'] as const).filter(key => config[key] !== this.#config[key])
    const { archive, state, run } = this.#config
    this.#config = { ...config, archive, state, run }
    this.#log.level = config.logLevel
    this.#startSchedules()
    this.#startWatch().catch(error =>
      this.#log.error(`Cannot watch ${archive}, scanning as scheduled: ${reasonOf(error)}`),
    )
    this.#queue.pump()
    return fixed.map(key => `A new ${key} directory takes a restart; going on with ${this.#config[key]}`)
  }

  /** Analyses in hand may end within `graceMs`; after that they are handed back. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping.abort()
    for (const task of this.#schedules) await task.stop()
    await this.#watch?.close()
    await this.#nudges?.[Symbol.asyncDispose]()
    await this.#queue.stop(graceMs)
    clearInterval(this.#logLook)
    clearInterval(this.#metricsLook)
    this.#delivery.stop()
    await this.#shipping.stop()
    await Promise.all(Object.values(this.#turns))
    this.#kernelRecords?.[Symbol.dispose]()
    clearInterval(this.#beat)
    this.#catalog.close()
  }

  /** Hands back at once what is in hand. */
  abort(): void {
    this.#queue.abort()
  }

  #startKernelLog(): void {
    if (!this.#config.kernelLog) return
    try {
      this.#kernelRecords = new KernelRecords({
        store: this.#store,
        spool: () => this.#spool(),
        catalog: () => this.#catalog,
        state: this.#config.state,
        patience: () => (2 * this.#config.storageDeadline + 30) * 1000,
        onRecord: (ref, sentence) => {
          this.#log.warning(`${sentence}; listed as ${ref.id}`)
          this.#onDump(ref)
        },
        onProblem: sentence => this.#log.warning(sentence),
      })
      this.#logLook = setInterval(
        () => void this.#whenAnswering(() => this.#readKernelLog()),
        kernelLogMs,
      ).unref()
    } catch (error) {
      this.#log.warning(
        `Cannot read the kernel log, crashes that it alone tells of are not recorded: ${reasonOf(error)}`,
      )
    }
  }

  #readKernelLog(): void {
    try {
      requireArchive(this.#store)
      this.#kernelRecords?.look()
    } catch (error) {
      this.#log.warning(`Could not record what the kernel log tells, trying again: ${reasonOf(error)}`)
    }
  }

  /** Nothing is begun that would wait for storage, nor after the end. */
  async #whenAnswering(work: () => void): Promise<void> {
    await this.#liveness.answers()
    if (!this.#stopping.signal.aborted) work()
  }

  #onSilence(isSilent: boolean): void {
    const { archive } = this.#config
    if (isSilent) this.#log.event('archive-silent', `${archive} does not answer, waiting for it`)
    else this.#log.event('archive-answers', `${archive} answers again`)
    this.#isSilent = isSilent
    this.#writeMetrics()
    this.#options.onStatus?.(isSilent ? `Waiting for ${archive}, which does not answer` : 'Waiting for dumps')
  }

  #spool(): LocalStore {
    return openLocalStore(spoolRoot(this.#config), { group: this.#config.group })
  }

  /** Dumps that handlers put on this machine's own disk while the archive took none, or no more. */
  #bringHome(): void {
    this.#recover(this.#spool())
    this.#shipping.look()
  }

  #recover(store: LocalStore): void {
    const known = (day: string): string[] => this.#catalog.ids(day)
    const spool = this.#spool()
    // What the spool has more of is no leftover of the archive's.
    const own = store.root === spool.root
    const options = {
      ...{ known, leave: own ? new Set<string>() : begunIds(spool), watched: this.#watched },
      ...(own ? {} : { claim: (id: string) => this.#leases.take(id) }),
    }
    for (const { ref, what } of recoverDumps(store, options)) this.#complain(ref, `Dump ${ref.id}: ${what}`)
  }

  /** Of each dump once: the scan comes upon it every few minutes. */
  #complain({ id }: DumpRef, sentence: string, event?: EventName): void {
    if (this.#complained.has(id)) return
    this.#complained.add(id)
    if (event === undefined) this.#log.warning(sentence)
    else this.#log.event(event, sentence, { GOCORE_SINK_ID: id })
  }

  /** Of each crash of this machine once, when it is listed: counted, and told to the journal. */
  #onAdded(row: CrashRow): void {
    if (row.host !== hostname() || Date.now() - row.time > newsMs) return
    this.#metrics.crash(row)
    const { id, comm, pid, uid, signalName, coreState, coreReason } = row
    const event = eventOf[coreState]
    const kept =
      coreState === 'complete'
        ? ''
        : `, its core is ${coreState === 'none' ? 'not there' : 'cut'} (${coreReason})`
    this.#log.event(event, `Dump ${id} arrived: ${comm}, pid ${pid}, ${signalName}${kept}`, {
      ...{ GOCORE_SINK_ID: id, GOCORE_SINK_PID: pid, GOCORE_SINK_UID: uid, GOCORE_SINK_COMM: comm },
      ...{
        GOCORE_SINK_SIGNAL: row.signal,
        GOCORE_SINK_CORE: coreState,
        GOCORE_SINK_REASON: coreReason ?? undefined,
      },
    })
  }

  /** Whoever is to be told of crashes is told of those whose analysis has ended since the last look. */
  #tellHooks(): void {
    const directory = outboxOf(this.#config)
    this.#hooksLook = undefined
    if (this.#stopping.signal.aborted) return
    try {
      this.#news.look()
      if (new Outbox(directory, undefined).letters().length > 0) this.#delivery.begin(directory)
      this.#complained.delete('hooks')
    } catch (error) {
      this.#complain({ id: 'hooks', day: '' }, `Could not tell the hooks, trying again: ${reasonOf(error)}`)
      this.#mend(error)
    }
  }

  /** Numbers that can't be written are nobody's loss but monitoring's, which sees an old file. */
  #writeMetrics(): void {
    try {
      const room = this.#room.look()
      const answers = !this.#isSilent
      const text = this.#metrics.text({
        backlog: this.#catalog.list({ analysis: 'pending', limit: 100_000 }).length,
        spool: spoolStanding(spoolRoot(this.#config)),
        archive: { answers, ...(answers ? room : {}) },
      })
      writeMetrics(join(this.#config.run, 'metrics.prom'), text)
      this.#complained.delete('metrics')
    } catch (error) {
      this.#complain({ id: 'metrics', day: '' }, `Could not write metrics.prom: ${reasonOf(error)}`)
    }
  }

  async #analyse(row: CrashRow, signal: AbortSignal): Promise<void> {
    const { id, day } = row
    const name = `dump ${id} (${row.comm}, pid ${row.pid} on ${row.host})`
    try {
      await this.#liveness.answers()
      signal.throwIfAborted()
      using lease = this.#leases.take(id)
      if (lease === undefined) throw new ArchiveError('another daemon has it in hand')
      // Another machine may have been faster.
      if (syncDump(this.#store, this.#catalog, { id, day })?.analysis !== 'pending') return
      if (!this.#config.analyseBeforeEncryption && (await this.#encrypt({ id, day }, signal))) return
      this.#options.onStatus?.(`Analysing ${name}`)
      const outcome = await analyseDump(
        { id, day },
        {
          ...{ store: this.#store, config: this.#config, signal, program: this.#options.program },
          answers: () => this.#liveness.answers(),
        },
      )
      const after = syncDump(this.#store, this.#catalog, { id, day })
      if (outcome.state !== 'interrupted') this.#metrics.analysis(outcome.state)
      if (outcome.state === 'done')
        this.#log.event(
          'analysis-done',
          `Analysed ${name} in ${(outcome.ms / 1000).toFixed(1)} s: ${this.#causeOf(after) ?? 'no cause'}`,
          { GOCORE_SINK_ID: id, GOCORE_SINK_SIGNATURE: after?.signatureKey ?? undefined },
        )
      else if (outcome.state === 'failed')
        this.#log.event('analysis-failed', `Could not analyse ${name}: ${outcome.reason}`, {
          GOCORE_SINK_ID: id,
        })
      else this.#log.info(`Handed back ${name}: the daemon stops`)
      if (outcome.state !== 'interrupted') await this.#encrypt({ id, day }, signal)
    } catch (error) {
      if (this.#isGone({ id, day })) return
      this.#log.warning(`Could not analyse ${name} now, trying again later: ${reasonOf(error)}`)
      this.#mend(error)
      throw error
    }
  }

  /** More people read the journal than may read what root's eyes alone are to see. */
  #causeOf(row: CrashRow | undefined): string | null | undefined {
    return row && this.#store.readManifest(row).dumpable === 1 ? row.cause : "the dump is root's alone"
  }

  /** False where cores are not encrypted. A failure is told, and the next round of retention tries again. */
  async #encrypt(ref: DumpRef, signal?: AbortSignal): Promise<boolean> {
    const recipients = this.#config.encryptTo
    if (recipients.length === 0) return false
    try {
      const { user } = this.#config.analysis
      if (await encryptDump(this.#store, ref, { recipients, user, signal }))
        this.#log.info(`Encrypted the core of dump ${ref.id} to ${recipients.join(', ')}`)
      syncDump(this.#store, this.#catalog, ref)
    } catch (error) {
      this.#log.warning(`Could not encrypt the core of dump ${ref.id}, it stays as it is: ${reasonOf(error)}`)
    }
    return true
  }

  /** Those that an earlier daemon had no time for, or was killed over, or that were imported. */
  async #encryptTheRest(since?: Date): Promise<void> {
    if (this.#config.encryptTo.length === 0) return
    for (const { id, day, manifest } of this.#store.list(since && { since })) {
      if (!isPlain(manifest) && !hasPlainRest(this.#store, { id, day }, manifest)) continue
      if (this.#stopping.signal.aborted) return
      if (this.#catalog.get(id)?.analysis === 'pending') continue
      using lease = this.#leases.take(id)
      if (lease !== undefined) await this.#encrypt({ id, day }, this.#stopping.signal)
    }
  }

  /** A dump that was deleted meanwhile is nothing to complain of. */
  #isGone({ id, day }: DumpRef): boolean {
    try {
      if (this.#store.ids(day).includes(id)) return false
      this.#catalog.remove(id)
      return true
    } catch {
      return false
    }
  }

  #onNudge(id: string): void {
    try {
      const days = [...this.#store.days()].slice(0, newestDays)
      const newest = days.find(candidate => this.#store.ids(candidate).includes(id))
      // An imported dump bears the day of its crash.
      const day = newest ?? this.#store.find(id)[0]?.day
      if (day === undefined) this.#look()
      else this.#onDump({ id, day }, true)
    } catch (error) {
      this.#log.warning(`Could not look for dump ${id}, leaving it to the next scan: ${reasonOf(error)}`)
    }
  }

  #onDump(ref: DumpRef, asked = false): void {
    try {
      const isKnown = this.#catalog.get(ref.id) !== undefined
      const row = syncDump(this.#store, this.#catalog, ref)
      if (row && !isKnown) this.#onAdded(row)
      if (asked) this.#queue.prefer(ref.id)
      else this.#queue.pump()
    } catch (error) {
      this.#log.warning(`Could not list dump ${ref.id}, leaving it to the next scan: ${reasonOf(error)}`)
      this.#mend(error)
    }
  }

  /** At most one look waits at a time. */
  #look(): void {
    if (this.#lookWaits) return
    this.#lookWaits = true
    void this.scan({ days: newestDays })
  }

  async #startWatch(): Promise<void> {
    await this.#watch?.close()
    const { archive, scan } = this.#config
    await this.#liveness.answers()
    const events = {
      onDump: (ref: DumpRef) => void this.#whenAnswering(() => this.#onDump(ref)),
      onLook: () => this.#look(),
      onProblem: (sentence: string) => this.#log.warning(sentence),
    }
    const network = (this.#options.fileSystem ?? networkFileSystem)(archive)
    if (network) this.#log.info(`${archive} lies on ${network}: polling it every ${scan.poll} s`)
    this.#watch = network ? pollArchive(scan.poll, events) : watchArchive(archive, scan.poll, events)
  }

  #startSchedules(): void {
    for (const task of this.#schedules) void task.stop()
    const quiet = { noOverlap: true, suppressMissedWarning: true }
    this.#schedules = [
      schedule(this.#config.scan.cron, () => this.scan(), quiet),
      schedule(this.#config.retention.cron, () => this.gc(), quiet),
    ]
  }

  #inTurn(what: string, work: () => Promise<void>, turn: 'scan' | 'retention' = 'scan'): Promise<void> {
    const begin = async (): Promise<void> => {
      await this.#liveness.answers()
      await work()
    }
    const run = this.#turns[turn].then(begin).catch(error => {
      this.#log.error(`${what} failed, the next one is tried as scheduled: ${reasonOf(error)}`)
      this.#mend(error)
    })
    this.#turns[turn] = run
    return run
  }

  /** A catalog that turns out damaged is begun anew, from the archive. */
  #mend(error: unknown): void {
    if (!isDamage(error)) return
    try {
      this.#catalog.close()
      this.#log.warning(`The catalog is damaged: kept it as ${putAside(this.#config)}, building a new one`)
      this.#catalog = openOwnCatalog(this.#config, this.#log)
      void this.scan()
    } catch (next) {
      this.#log.error(`Could not begin a new catalog: ${reasonOf(next)}`)
    }
  }
}

const eventOf = {
  complete: 'crash-recorded',
  truncated: 'crash-cut',
  none: 'crash-without-core',
} as const satisfies Record<CrashRow['coreState'], EventName>

function checkSchedules(config: Config): Config {
  for (const cron of [config.scan.cron, config.retention.cron])
    if (!validate(cron)) throw new ConfigError(`${JSON.stringify(cron)} is not a cron expression`)
  return config
}
