/** The catalog over one SQLite file. */
import { statSync } from 'node:fs'
import type { Database, Statement } from 'better-sqlite3'
import type { Catalog, CrashFilter, CrashRow, CrashText, SignatureRow } from '../catalog.ts'
import { conditionsOf } from './filter.ts'
import { fromStored, type StoredRow, selectList, toStored, upsert } from './rows.ts'
import { migrations } from './schema/index.ts'

const newestFirst = 'ORDER BY crash.time DESC, crash.id DESC'
const oldestFirst = 'ORDER BY crash.time, crash.id'
const orderOf = (filter: CrashFilter): string => (filter.reverse ? oldestFirst : newestFirst)
const limitOf = (filter: CrashFilter): number => filter.limit ?? -1

export class SqliteCatalog implements Catalog {
  readonly #db: Database
  /** By their SQL: preparing costs more than most of them do, and a statement's memory waits for the collector. */
  readonly #statements = new Map<string, Statement>()

  readonly #file: string | undefined

  constructor(db: Database) {
    this.#db = db
    this.#file = fileOf(db)
  }

  put(row: CrashRow, text?: CrashText, manifestTime?: number): void {
    this.transaction(() => {
      const key = this.#prepare(upsert)
        .pluck()
        .get({ ...toStored(row), manifestTime: manifestTime ?? null })
      if (text)
        this.#prepare(
          `INSERT INTO crash_text (key, message, frames) VALUES (@key, @message, @frames)
           ON CONFLICT (key) DO UPDATE SET message = excluded.message, frames = excluded.frames`,
        ).run({ key, message: text.message, frames: text.frames })
    })
  }

  remove(id: string): void {
    this.#prepare('DELETE FROM crash WHERE id = ?').run(id)
  }

  get(id: string): CrashRow | undefined {
    return this.#rows('WHERE crash.id = @id', { id })[0]
  }

  byPrefix(prefix: string, limit: number): CrashRow[] {
    if (prefix === '') return this.list({ limit })
    const where = `WHERE crash.id >= @prefix AND crash.id < @prefix || '~'`
    return this.#rows(`${where} ${newestFirst} LIMIT @limit`, { prefix, limit })
  }

  latest(): CrashRow | undefined {
    return this.list({ limit: 1 })[0]
  }

  list(filter: CrashFilter): CrashRow[] {
    const { where, parameters } = conditionsOf(filter)
    return this.#rows(`${where} ${orderOf(filter)} LIMIT @limit`, { ...parameters, limit: limitOf(filter) })
  }

  search(words: string, filter: CrashFilter): (CrashRow & { snippet: string })[] {
    const both = filter.text === undefined ? words : `${words} ${filter.text}`
    const { where, parameters } = conditionsOf({ ...filter, text: both }, true)
    const rows = this.#db
      .prepare<unknown[], StoredRow & { snippet: string }>(
        `SELECT ${selectList}, snippet(crash_fts, -1, '', '', '…', 16) AS snippet
         FROM crash_fts JOIN crash ON crash.key = crash_fts.rowid
         ${where} ${orderOf(filter)} LIMIT @limit`,
      )
      .all({ ...parameters, limit: limitOf(filter) })
    return rows.map(({ snippet, ...row }) => ({ ...fromStored(row), snippet: snippet.replaceAll('\n', ' ') }))
  }

  top(filter: CrashFilter): SignatureRow[] {
    const { where, parameters } = conditionsOf(filter)
    const named = 'crash.signature_key IS NOT NULL'
    const groups = this.#db
      .prepare<unknown[], Group>(
        // Milliseconds of fixed width before the id make max() choose the latest crash of a group.
        `SELECT signature_key AS key, count(*) AS count, min(time) AS first, max(time) AS last,
                count(DISTINCT host) AS hosts, json_group_array(DISTINCT program) AS programs,
                substr(max(printf('%015d%s', time, id)), 16) AS latestId
         FROM crash ${where === '' ? `WHERE ${named}` : `${where} AND ${named}`}
         GROUP BY signature_key ORDER BY count DESC, last DESC, key LIMIT @limit`,
      )
      .all({ ...parameters, limit: limitOf(filter) })
    return groups.map(group => ({
      ...group,
      text: this.get(group.latestId)?.signatureText ?? '',
      programs: (JSON.parse(group.programs) as string[]).sort().slice(0, 10),
    }))
  }

  pending(limit: number): CrashRow[] {
    return this.list({ analysis: 'pending', limit })
  }

  days(): string[] {
    // Hops through the index from day to day; DISTINCT would walk all of it.
    const days = this.#prepare(
      `WITH RECURSIVE hop (day) AS (
         SELECT max(day) FROM crash
         UNION ALL
         SELECT (SELECT max(day) FROM crash WHERE day < hop.day) FROM hop WHERE hop.day IS NOT NULL
       ) SELECT day FROM hop WHERE day IS NOT NULL`,
    )
    return days.pluck().all() as string[]
  }

  ids(day: string): string[] {
    return this.#prepare('SELECT id FROM crash WHERE day = ? ORDER BY id').pluck().all(day) as string[]
  }

  manifestTimes(day: string): Map<string, number | null> {
    const rows = this.#prepare('SELECT id, manifest_time FROM crash WHERE day = ?').raw().all(day)
    return new Map(rows as [string, number | null][])
  }

  clear(): void {
    this.transaction(() => {
      // Dropping takes no time where deleting a million rows takes minutes; migrations make the tables anew.
      for (const table of ['crash_fts', 'crash_text', 'crash']) this.#db.exec(`DROP TABLE IF EXISTS ${table}`)
      for (const migration of migrations) this.#db.exec(migration)
    })
  }

  check(): string[] {
    const found = this.#db.pragma('integrity_check(20)') as { integrity_check: string }[]
    const problems = found.map(row => row.integrity_check).filter(text => text !== 'ok')
    if (this.#db.readonly) return problems
    try {
      this.#db.exec(`INSERT INTO crash_fts (crash_fts, rank) VALUES ('integrity-check', 1)`)
    } catch {
      problems.push('the full-text index does not agree with the texts')
    }
    return problems
  }

  transaction<T>(work: () => T): T {
    if (this.#db.inTransaction) return this.#db.transaction(work)()
    return this.#db.transaction(work).immediate()
  }

  isReplaced(): boolean {
    return fileOf(this.#db) !== this.#file
  }

  close(): void {
    // A resting file is left in rollback mode: one in WAL mode can only be read by who may create files beside it.
    // While another process has it open this does nothing, and the last one out does it.
    // Of one that was replaced, SQLite would delete the log of the file that is there now.
    if (!this.#db.readonly && !this.#db.memory && !this.isReplaced())
      try {
        this.#db.pragma('busy_timeout = 0')
        this.#db.pragma('journal_mode = DELETE')
      } catch {}
    this.#db.close()
  }

  #rows(rest: string, parameters: Record<string, string | number>): CrashRow[] {
    const statement = this.#prepare(`SELECT ${selectList} FROM crash ${rest}`)
    return (statement.all(parameters) as StoredRow[]).map(fromStored)
  }

  #prepare(sql: string): Statement {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#db.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }
}

/** Which file lies at the database's path. */
function fileOf({ memory, name }: Database): string | undefined {
  const found = memory ? undefined : statSync(name, { throwIfNoEntry: false })
  return found && `${found.dev}:${found.ino}`
}

type Group = Omit<SignatureRow, 'text' | 'programs'> & { programs: string }
