/**
 * Which crashes are still to be told: those of this machine whose analysis has ended and that were not told before, by
 * whatever daemon. STATE/announced remembers them, an id a line: the catalog may be made anew at any time.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { writeFileAtomic } from '../../base/atomic-file.ts'
import { reasonOf } from '../../base/errors.ts'
import type { Catalog, CrashRow } from '../../catalog/index.ts'
import { type Config, outboxOf } from '../../config/index.ts'
import { type CrashEvent, crashEvent } from './crash-event.ts'
import { Outbox } from './outbox.ts'

/** What is older is no news. */
const newsMs = 7 * 24 * 60 * 60_000
const hourMs = 60 * 60_000
/** The newest rows that each look has, and as many older ones; a storm's others are told of by the next. */
const rowsPerLook = 5000
/** As many as may be of a week: whatever is looked at and not remembered is told again after a restart. */
const mostRemembered = 200_000

export interface NewsOptions {
  readonly config: () => Pick<Config, 'state' | 'hooks'>
  readonly catalog: () => Catalog
  /** The row as everybody may know it. */
  readonly open: (row: CrashRow) => CrashRow
  /** The group of who delivers; undefined for the daemon's own. */
  readonly gid: number | undefined
  readonly onProblem: (sentence: string) => void
  /** For tests. */
  readonly rows?: number
}

export class News {
  readonly #options: NewsOptions
  readonly #told: Set<string>
  readonly #path: string
  #sent: number[] = []
  #leftOut = 0
  /** Told, and not in the file yet. */
  #unwritten: string[] = []
  /** Where the next look goes on among the older rows, milliseconds since the epoch; undefined to begin anew. */
  #until: number | undefined

  /** Before the first daemon that tells anything, all is known: an upgrade is no reason to tell of old crashes. */
  constructor(options: NewsOptions) {
    this.#options = options
    this.#path = join(options.config().state, 'announced')
    const isFirst = !existsSync(this.#path)
    const lines = isFirst ? [] : readFileSync(this.#path, 'latin1').split('\n').filter(Boolean)
    this.#told = new Set(lines.slice(-mostRemembered))
    if (isFirst)
      do for (const { id } of this.#recent()) this.#told.add(id)
      while (this.#until !== undefined)
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

  /** While the file can't be written this daemon remembers all the same: hooks are not told again every few seconds. */
  #remember(id: string): void {
    this.#told.add(id)
    this.#unwritten.push(id)
    try {
      appendFileSync(this.#path, this.#unwritten.map(one => `${one}\n`).join(''))
      this.#unwritten = []
    } catch (error) {
      if (this.#unwritten.length > 1) return
      this.#options.onProblem(
        `Could not write to ${this.#path}, hooks may be told again after a restart: ${reasonOf(error)}`,
      )
    }
  }

  /** Newest first: those, and where there are more, the next of the older ones. */
  #recent(now = Date.now()): ReturnType<Catalog['list']> {
    const { catalog, rows: limit = rowsPerLook } = this.#options
    const list = (until: number): ReturnType<Catalog['list']> =>
      catalog().list({ host: hostname(), since: now - newsMs, until, limit })
    const newest = list(Number.MAX_SAFE_INTEGER)
    if (newest.length < limit) return newest
    const until = this.#until ?? newest.at(-1)!.time
    const older = list(until)
    this.#until = older.length < limit ? undefined : Math.min(older.at(-1)!.time, until - 1)
    return [...newest, ...older]
  }
}
