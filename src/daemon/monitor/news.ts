/**
 * Which crashes are still to be told: those of this machine whose analysis has ended and that were not told before, by
 * whatever daemon. STATE/announced remembers them, an id a line: the catalog may be made anew at any time.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { writeFileAtomic } from '../../base/atomic-file.ts'
import type { Catalog, CrashRow } from '../../catalog/index.ts'
import { type Config, outboxOf } from '../../config/index.ts'
import { type CrashEvent, crashEvent } from './crash-event.ts'
import { Outbox } from './outbox.ts'

/** What is older is no news. */
const newsMs = 7 * 24 * 60 * 60_000
const hourMs = 60 * 60_000
/** Rows at one look; a storm's others are told of by the next. */
const mostRows = 5000
const mostRemembered = 20_000

export interface NewsOptions {
  readonly config: () => Pick<Config, 'state' | 'hooks'>
  readonly catalog: () => Catalog
  /** The row as everybody may know it. */
  readonly open: (row: CrashRow) => CrashRow
  /** The group of who delivers; undefined for the daemon's own. */
  readonly gid: number | undefined
  readonly onProblem: (sentence: string) => void
}

export class News {
  readonly #options: NewsOptions
  readonly #told: Set<string>
  readonly #path: string
  #sent: number[] = []
  #leftOut = 0

  /** Before the first daemon that tells anything, all is known: an upgrade is no reason to tell of old crashes. */
  constructor(options: NewsOptions) {
    this.#options = options
    this.#path = join(options.config().state, 'announced')
    const isFirst = !existsSync(this.#path)
    const lines = isFirst ? [] : readFileSync(this.#path, 'latin1').split('\n').filter(Boolean)
    this.#told = new Set(lines.slice(-mostRemembered))
    if (isFirst) for (const { id } of this.#recent()) this.#told.add(id)
    if (isFirst || lines.length > 2 * mostRemembered)
      writeFileAtomic(this.#path, [...this.#told, ''].join('\n'), { mode: 0o600 })
  }

  /** Puts what is new into the outbox, oldest first; answers what was put there. */
  look(now = Date.now()): CrashEvent[] {
    const { config, catalog, open } = this.#options
    const { hooks } = config()
    const receivers = [...(hooks.command.length > 0 ? ['command'] : []), ...hooks.urls]
    const put: CrashEvent[] = []
    for (const row of this.#recent(now).reverse()) {
      if (row.analysis === 'pending' || this.#told.has(row.id)) continue
      if (receivers.length > 0) {
        const event = crashEvent(open(row), catalog(), hooks.regressionAfter, this.#leftOut)
        const isWanted = event.events.some(name => hooks.on.includes(name))
        if (isWanted && this.#isWithinLimit(hooks.perHour, now) && this.#put(event, receivers))
          put.push(event)
        else if (isWanted) this.#leftOut++
      }
      // After the letter: told twice is better than not at all.
      this.#remember(row.id)
    }
    return put
  }

  #put(event: CrashEvent, receivers: readonly string[]): boolean {
    const { config, gid, onProblem } = this.#options
    const isThere = new Outbox(outboxOf(config()), gid).put(event, receivers)
    if (!isThere) onProblem(`${outboxOf(config())} is full: nobody is told of dump ${event.id}`)
    else this.#leftOut = 0
    return isThere
  }

  #isWithinLimit(perHour: number | null, now: number): boolean {
    // A clock that was set back has them lie ahead.
    this.#sent = this.#sent.filter(time => Math.abs(now - time) < hourMs)
    if (perHour !== null && this.#sent.length >= perHour) return false
    this.#sent.push(now)
    return true
  }

  #remember(id: string): void {
    appendFileSync(this.#path, `${id}\n`)
    this.#told.add(id)
  }

  #recent(now = Date.now()): ReturnType<Catalog['list']> {
    return this.#options.catalog().list({ host: hostname(), since: now - newsMs, limit: mostRows })
  }
}
