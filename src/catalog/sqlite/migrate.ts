/** Brings a catalog file to the schema of this program. The file's own version is SQLite's `user_version`. */
import type { Database } from 'better-sqlite3'
import { UnsupportedError } from '../../base/errors.ts'
import { migrations as ours } from './schema/index.ts'

/** `gcsk`: tells our files from other programs' databases. */
export const applicationId = 0x6763736b

export const schemaVersion = ours.length

/** The version of an open file; 0 for an empty one. Throws UnsupportedError for a newer one or another program's. */
export function readVersion(db: Database, path: string, most = schemaVersion): number {
  const version = db.pragma('user_version', { simple: true }) as number
  const application = db.pragma('application_id', { simple: true }) as number
  const tables = db.prepare('SELECT count(*) FROM sqlite_schema').pluck().get() as number
  if (application !== applicationId && (version !== 0 || tables !== 0 || application !== 0))
    throw new UnsupportedError(`Catalog ${path}`, 'it is a database of another program')
  if (version > most)
    throw new UnsupportedError(
      `Catalog ${path}`,
      `it has version ${version} and this program knows ${most} at most; use the newer gocore-sink, ` +
        'or delete the file and run gocore-sink reindex',
    )
  return version
}

/** Runs what is missing, all or nothing. Answers the version that the file had. */
export function migrate(db: Database, path: string, migrations: readonly string[] = ours): number {
  if (readVersion(db, path, migrations.length) === migrations.length) return migrations.length
  const run = db.transaction(() => {
    // Asked again under the write lock: another process may have come first.
    const from = readVersion(db, path, migrations.length)
    for (const migration of migrations.slice(from)) db.exec(migration)
    db.pragma(`application_id = ${applicationId}`)
    db.pragma(`user_version = ${migrations.length}`)
    return from
  })
  return run.immediate()
}
