/**
 * The crashes of this machine that somebody has dealt with, whatever daemon it was. A file in STATE remembers them, an id a
 * line: the catalog may be made anew at any time, and others than the daemon list dumps in it.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { writeFileAtomic } from '../../base/atomic-file.ts'
import { reasonOf } from '../../base/errors.ts'
import type { Catalog, CrashFilter, CrashRow } from '../../catalog/index.ts'

/** What is older is no news. */
const newsMs = 7 * 24 * 60 * 60_000
/** Dates before any version of this program: the clock was wrong, which says nothing of how old the crash is. */
const firstMs = Date.UTC(2020, 0)
/** The newest rows that each look has, and as many older ones; a storm's others are in the next. */
const rowsPerLook = 5000
/** As many as may be of a week: whatever is looked at and not remembered is dealt with again after a restart. */
const mostRemembered = 200_000

export interface CrashRollOptions {
  readonly path: string
  readonly catalog: () => Catalog
  /** What may happen where the file can't be written. */
  readonly risk: string
  readonly onProblem: (sentence: string) => void
  /** For tests. */
  readonly rows?: number | undefined
  readonly most?: number | undefined
}

export class CrashRoll {
  readonly #options: CrashRollOptions
  readonly #limit: number
  readonly #most: number
  #ids: Set<string>
  /** On the roll, and not in the file yet. */
  #unwritten: string[] = []
  #isFailing = false
  /** Where the next look goes on among the older rows, milliseconds since the epoch; undefined to begin anew. */
  #until: number | undefined

  /** Where there is no file yet, all that the catalog has is known: an upgrade makes no news of old crashes. */
  constructor(options: CrashRollOptions) {
    this.#options = options
    this.#limit = options.rows ?? rowsPerLook
    this.#most = options.most ?? mostRemembered
    const there = this.#read()
    this.#ids = new Set(there ?? this.#known())
    if (there === undefined) this.#write()
  }

  /** Whether it is a crash of this machine that is news, and nobody has dealt with. */
  lacks({ id, host, time }: CrashRow, now = Date.now()): boolean {
    return host === hostname() && (time >= since(now) || time < firstMs) && !this.#ids.has(id)
  }

  /** All that the catalog has of those, oldest first; of a storm a part each time. */
  *missing(now = Date.now()): Generator<CrashRow> {
    if (this.#unwritten.length > 0) this.#write()
    const rows = [...this.#recent(now), ...this.#list({ until: firstMs - 1 })]
    for (const row of rows.reverse()) if (!this.#ids.has(row.id)) yield row
  }

  /** While the file can't be written, this daemon remembers all the same, and tries again with the next look. */
  add(id: string): void {
    this.#ids.add(id)
    this.#unwritten.push(id)
    if (this.#unwritten.length === 1) this.#write()
  }

  #read(): string[] | undefined {
    const { path, onProblem, risk } = this.#options
    try {
      return readFileSync(path, 'latin1').split('\n').filter(Boolean)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        onProblem(`Could not read ${path}, ${risk}: ${reasonOf(error)}`)
      return undefined
    }
  }

  #write(): void {
    const { path, onProblem, risk } = this.#options
    try {
      const isTooLong = this.#ids.size > 2 * this.#most
      if (isTooLong) this.#ids = new Set([...this.#ids].slice(-this.#most))
      if (isTooLong || !existsSync(path)) writeFileAtomic(path, linesOf(this.#ids), { mode: 0o600 })
      else appendFileSync(path, linesOf(this.#unwritten))
      this.#unwritten = []
      this.#isFailing = false
    } catch (error) {
      if (!this.#isFailing) onProblem(`Could not write to ${path}, ${risk}: ${reasonOf(error)}`)
      this.#isFailing = true
    }
  }

  /** All of this machine's in the catalog, oldest first; of a damaged one, what can be read. */
  #known(): string[] {
    const ids: string[] = []
    try {
      for (let until = Number.MAX_SAFE_INTEGER; ids.length < this.#most; ) {
        const page = this.#list({ until })
        ids.push(...page.map(({ id }) => id))
        if (page.length < this.#limit) break
        until = Math.min(page.at(-1)!.time, until - 1)
      }
    } catch {
      // Whoever works with it has it made anew.
    }
    return ids.reverse()
  }

  /** Newest first: those, and where there are more, the next of the older ones. */
  #recent(now: number): CrashRow[] {
    const newest = this.#list({ since: since(now) })
    if (newest.length < this.#limit) return newest
    const until = this.#until ?? newest.at(-1)!.time
    const older = this.#list({ since: since(now), until })
    this.#until = older.length < this.#limit ? undefined : Math.min(older.at(-1)!.time, until - 1)
    return [...newest, ...older]
  }

  #list(filter: CrashFilter): CrashRow[] {
    return this.#options.catalog().list({ ...filter, host: hostname(), limit: this.#limit })
  }
}

/** By a clock that is itself too early, all would be news. */
const since = (now: number): number => (now < firstMs ? Number.MAX_SAFE_INTEGER : now - newsMs)

const linesOf = (ids: Iterable<string>): string => [...ids, ''].join('\n')
