/**
 * Which of the daemon's directories do not answer: one of which a question stays open, or over which the thread that works
 * sleeps for longer than storage takes that is merely slow. A frozen file system answers questions, and takes no writes.
 */
import { type Config, spoolRoot } from '../config/index.ts'
import type { Log } from './log.ts'
import type { EventName } from './monitor/journal.ts'
import { Question, type Room, roomOf, type SpoolStanding, spoolStanding } from './monitor/standing.ts'
import type { Judgement } from './vigil.ts'

const patienceMs = 20_000

export class Silence {
  readonly #config: Config
  readonly #log: Log
  readonly #room: Question<Room>
  readonly #spool: Question<SpoolStanding | undefined>
  #silent: ReadonlySet<string> = new Set()
  /** What the work waits for, as far as is known: while it is busy that stays open. */
  #awaited: string | undefined

  constructor(config: Config, log: Log) {
    this.#config = config
    this.#log = log
    this.#room = new Question(() => roomOf(config.archive))
    this.#spool = new Question(() => spoolStanding(spoolRoot(config)))
  }

  /** Asks both directories; `look` sees what comes of it. */
  ask(): void {
    this.#room.look()
    this.#spool.look()
  }

  /** Takes in what is known now, and tells the log of each change; answers whether there was one. */
  look(judgement: Judgement, workSilentMs: number): boolean {
    const { archive, state } = this.#config
    if (judgement.kind === 'alive') this.#awaited = undefined
    if (judgement.kind === 'waits') this.#awaited = judgement.path
    const silent = new Set<string>()
    if (this.#room.openMs > patienceMs) silent.add(archive)
    if (this.#spool.openMs > patienceMs) silent.add(state)
    if (this.#awaited !== undefined && workSilentMs > patienceMs) silent.add(this.#awaited)
    const begun = silent.difference(this.#silent)
    const over = this.#silent.difference(silent)
    this.#silent = silent
    for (const path of begun) this.#tell('archive-silent', path, `${path} does not answer, waiting for it`)
    for (const path of over) this.#tell('archive-answers', path, `${path} answers again`)
    return begun.size + over.size > 0
  }

  /** For `systemctl status`; undefined where all is well. */
  get sentence(): string | undefined {
    if (this.#silent.size === 0) return undefined
    const verb = this.#silent.size === 1 ? 'does' : 'do'
    return `Waiting for ${[...this.#silent].join(' and ')}, which ${verb} not answer`
  }

  get archive(): { answers: boolean; room: Room | undefined } {
    const answers = !this.#silent.has(this.#config.archive)
    return { answers, room: answers ? this.#room.answer : undefined }
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
