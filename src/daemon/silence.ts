/**
 * Which of the daemon's directories do not answer: one of which a question stays open, or over which the thread that works
 * sleeps for longer than storage takes that is merely slow. A frozen file system answers questions, and takes no writes.
 * An archive that is not mounted does not answer for itself either.
 */
import { type Config, spoolRoot } from '../config/index.ts'
import type { Log } from './log.ts'
import type { EventName } from './monitor/journal.ts'
import {
  archiveStanding,
  Question,
  type Room,
  type SpoolStanding,
  spoolStanding,
} from './monitor/standing.ts'
import type { Judgement } from './vigil.ts'

const patienceMs = 20_000

/** What is amiss with a directory. */
type Fault = 'does not answer' | 'is not there'
const over: Record<Fault, string> = { 'does not answer': 'answers again', 'is not there': 'is there again' }

export class Silence {
  readonly #config: Config
  readonly #log: Log
  readonly #archive: Question<Room | 'gone'>
  readonly #spool: Question<SpoolStanding | undefined>
  #silent: ReadonlyMap<string, Fault> = new Map()
  /** What the work waits for, as far as is known: while it is busy that stays open. */
  #awaited: string | undefined

  constructor(config: Config, log: Log) {
    this.#config = config
    this.#log = log
    this.#archive = new Question(() => archiveStanding(config))
    this.#spool = new Question(() => spoolStanding(spoolRoot(config)))
  }

  /** Asks the archive; `look` sees what comes of it. */
  ask(): void {
    this.#archive.look()
  }

  /** Asks for each file of the spool. */
  askSpool(): void {
    this.#spool.look()
  }

  /** Takes in what is known now, and tells the log of each change; answers whether there was one. */
  look(judgement: Judgement, workSilentMs: number): boolean {
    const { archive, state } = this.#config
    if (judgement.kind === 'alive') this.#awaited = undefined
    if (judgement.kind === 'waits') this.#awaited = judgement.path
    const before = this.#silent
    const silent = new Map<string, Fault>()
    if (this.#archive.answer === 'gone') silent.set(archive, 'is not there')
    if (this.#archive.openMs > patienceMs) silent.set(archive, 'does not answer')
    if (this.#spool.openMs > patienceMs) silent.set(state, 'does not answer')
    if (this.#awaited !== undefined && workSilentMs > patienceMs) silent.set(this.#awaited, 'does not answer')
    this.#silent = silent
    const begun = [...silent].filter(([path, fault]) => before.get(path) !== fault)
    const ended = [...before].filter(([path]) => !silent.has(path))
    for (const [path, fault] of begun) this.#tell('archive-silent', path, `${path} ${fault}, waiting for it`)
    for (const [path, fault] of ended) this.#tell('archive-answers', path, `${path} ${over[fault]}`)
    return begun.length + ended.length > 0
  }

  /** For `systemctl status`; undefined where all is well. */
  get sentence(): string | undefined {
    if (this.#silent.size === 0) return undefined
    return `Waiting for ${[...this.#silent].map(([path, fault]) => `${path}, which ${fault}`).join(', and for ')}`
  }

  /** Whether it is known that the archive is not there. */
  get isArchiveGone(): boolean {
    return this.#silent.get(this.#config.archive) === 'is not there'
  }

  get archive(): { answers: boolean; room: Room | undefined } {
    const { answer } = this.#archive
    const answers = !this.#silent.has(this.#config.archive) && answer !== 'gone'
    return { answers, room: answers ? answer : undefined }
  }

  get state(): { answers: boolean; spool: SpoolStanding | undefined } {
    const answers = !this.#silent.has(this.#config.state)
    return { answers, spool: answers ? this.#spool.answer : undefined }
  }

  #tell(event: EventName, path: string, sentence: string): void {
    if (path === this.#config.archive) this.#log.event(event, sentence)
    else this.#log.warning(sentence)
  }
}
