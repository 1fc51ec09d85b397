/**
 * The daemon's first thread, which systemd sees. It starts the one that works and watches it, and touches nothing that may
 * not answer: files of /proc and of the runtime directory alone, which lie in memory. So whatever storage does, signals and
 * nudges are heard, the kernel log is read, monitoring has its numbers, and systemd is told the truth.
 */
import { reasonOf } from '../base/errors.ts'
import type { Config } from '../config/index.ts'
import type { ConfigSource } from './config-source.ts'
import { KernelLines } from './kernel-lines.ts'
import type { Log } from './log.ts'
import { MetricsFile } from './monitor/metrics-file.ts'
import { Notifier, watchdogInterval } from './notify.ts'
import { listenForNudges } from './nudge.ts'
import { Silence } from './silence.ts'
import type { WorkReport } from './thread-words.ts'
import { type Judgement, Vigil } from './vigil.ts'
import { WorkThread } from './work-thread.ts'

export interface SupervisorOptions extends ConfigSource {
  readonly config: Config
  readonly log: Log
  /** The analysing child's program, for tests. */
  readonly program?: string | undefined
  /** Told when work may be in hand, which is to be ended before this process is. */
  readonly onBegun: () => void
  readonly onReady: () => void
}

/** Between looks at the thread that works, where the watchdog does not want them more often. */
const lookMs = 5000
const kernelLogMs = 5000
const metricsMs = 15_000

export class Supervisor {
  readonly #options: SupervisorOptions
  readonly #notifier = new Notifier()
  readonly #watchdogMs = this.#notifier.isOn ? watchdogInterval() : undefined
  readonly #thread: WorkThread
  readonly #vigil: Vigil
  readonly #silence: Silence
  readonly #metrics: MetricsFile
  readonly #timers: NodeJS.Timeout[] = []
  #nudges: AsyncDisposable | undefined
  #kernelLines: KernelLines | undefined
  /** Lines were handed over, and no answer has come. */
  #areLinesOut = false
  /** It was handed over once, be it without a line: what stands there at the first start ever is passed over. */
  #isLogKnown = false
  /** No other daemon has our places. */
  #isOnly = false
  #isReady = false
  /** systemd knows that it runs. */
  #isUp = false
  #status = 'Starting'
  #counts = ''
  #vouchedAt = 0
  /** What was complained of, until it is over. */
  readonly #complained = new Set<string>()

  constructor(options: SupervisorOptions) {
    const { config, log, configPath, archive, program } = options
    const interval = Math.min(lookMs, (this.#watchdogMs ?? lookMs) / 4)
    this.#options = options
    this.#metrics = new MetricsFile(config.run)
    this.#silence = new Silence(config, log)
    this.#thread = new WorkThread({ config, configPath, archive, program, beatMs: interval / 3 }, report =>
      this.#onReport(report),
    )
    this.#vigil = new Vigil(this.#thread.beats, config.state)
    for (const directory of [config.archive, config.state]) this.#vigil.directories.set(directory, directory)
    this.#silence.ask()
    this.#silence.askSpool()
    this.#repeat(interval, () => this.#look())
    this.#repeat(metricsMs, () => {
      this.#writeMetrics()
      this.#silence.askSpool()
    })
  }

  /** Resolves when the work has ended as it was told to; rejects with why it has ended otherwise. */
  get ended(): Promise<void> {
    return this.#thread.ended
  }

  reload(): void {
    this.#thread.tell({ kind: 'reload' })
  }

  /** Work in hand may end within `graceMs`. */
  stop(signal: string, graceMs: number): void {
    this.#notifier.send('STOPPING=1', `STATUS=Stopping on ${signal}`)
    this.#thread.tell({ kind: 'stop', graceMs })
  }

  /** Hands back at once what is in hand. */
  abort(): void {
    this.#thread.tell({ kind: 'abort' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer)
    this.#kernelLines?.[Symbol.dispose]()
    await this.#nudges?.[Symbol.asyncDispose]()
    // What is told of a daemon that is no more would be taken for news.
    if (this.#isOnly) this.#metrics.remove()
  }

  #repeat(ms: number, work: () => void): void {
    this.#timers.push(setInterval(work, ms))
  }

  #onReport(report: WorkReport): void {
    const { config, log } = this.#options
    switch (report.kind) {
      case 'thread':
        this.#vigil.thread = report.number
        break
      case 'locked':
        void this.#listen()
        break
      case 'begun':
        this.#vigil.directories.set(report.archive, config.archive).set(report.state, config.state)
        this.#options.onBegun()
        break
      case 'ready':
        this.#onReady()
        break
      case 'status':
        this.#status = report.text
        this.#tellStatus()
        break
      case 'counts':
        this.#counts = report.text
        this.#writeMetrics()
        break
      case 'kernel-log':
        this.#areLinesOut = false
        this.#kernelLines?.dealtWith(report.sequence)
        break
      case 'log-level':
        log.level = report.level
        break
    }
  }

  /** What others left at our places is replaced. */
  async #listen(): Promise<void> {
    const { config, log } = this.#options
    this.#isOnly = true
    try {
      this.#nudges = await listenForNudges(config.run, id => this.#thread.tell({ kind: 'nudge', id }))
    } catch (error) {
      return this.#thread.abandon(error)
    }
    this.#writeMetrics()
    if (!config.kernelLog) return
    try {
      this.#kernelLines = new KernelLines({ run: config.run, onProblem: sentence => log.warning(sentence) })
      this.#repeat(kernelLogMs, () => this.#readKernelLog())
    } catch (error) {
      log.warning(
        `Cannot read the kernel log, crashes that it alone tells of are not recorded: ${reasonOf(error)}`,
      )
    }
  }

  #onReady(): void {
    this.#isReady = true
    this.#status = 'Waiting for dumps'
    this.#beUp()
    this.#options.onReady()
    this.#readKernelLog()
  }

  #beUp(): void {
    this.#isUp = true
    this.#tellStatus('READY=1')
  }

  #look(): void {
    const judgement = this.#vigil.look()
    const wasGone = this.#silence.isArchiveGone
    if (this.#silence.look(judgement, this.#vigil.silentMs)) {
      this.#tellStatus()
      this.#writeMetrics()
      if (wasGone && this.#isReady && !this.#silence.isArchiveGone) this.#thread.tell({ kind: 'remounted' })
    }
    this.#silence.ask()
    // A mount that is missing may come in a minute or in days.
    if (this.#silence.isArchiveGone && !this.#isUp) this.#beUp()
    if (this.#isUp) this.#vouch(judgement)
    // A start that waits for storage, or has a day of fifty thousand dumps to list, is no start that has failed.
    else if (this.#silence.sentence !== undefined || judgement.kind === 'alive')
      this.#notifier.send('EXTEND_TIMEOUT_USEC=60000000')
  }

  /** Tells the watchdog that all is as it should be, where it is: work that hangs for no storage's sake is to be ended. */
  #vouch(judgement: Judgement): void {
    if (this.#watchdogMs === undefined || performance.now() - this.#vouchedAt < this.#watchdogMs) return
    if (judgement.kind === 'busy') {
      const { silentMs } = this.#vigil
      const seconds = Math.round(silentMs / 1000)
      if (silentMs >= this.#watchdogMs)
        this.#complain(
          'stuck',
          `The work has given no sign of life for ${seconds} s, and waits for no storage`,
        )
      return
    }
    this.#notifier.send('WATCHDOG=1')
    this.#vouchedAt = performance.now()
    this.#complained.delete('stuck')
  }

  #tellStatus(...more: string[]): void {
    this.#notifier.send(...more, `STATUS=${this.#silence.sentence ?? this.#status}`)
  }

  /** Lines are handed over when the first scan is through, and again until they are dealt with. */
  #readKernelLog(): void {
    const lines = this.#kernelLines?.look()
    if (lines === undefined || !this.#isReady || this.#areLinesOut) return
    if (lines.length === 0 && this.#isLogKnown) return
    this.#areLinesOut = true
    this.#isLogKnown = true
    this.#thread.tell({ kind: 'kernel-log', lines })
  }

  #writeMetrics(): void {
    if (!this.#isOnly) return
    const { archive, state } = this.#silence
    try {
      this.#metrics.write(this.#counts, { archive, state, silent: this.#vigil.silentMs / 1000 })
      this.#complained.delete('metrics')
    } catch (error) {
      this.#complain('metrics', `Could not write metrics.prom: ${reasonOf(error)}`)
    }
  }

  #complain(of: string, sentence: string): void {
    if (this.#complained.has(of)) return
    this.#complained.add(of)
    this.#options.log.warning(sentence)
  }
}
