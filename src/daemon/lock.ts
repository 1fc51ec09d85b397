/**
 * One daemon per state directory. Node has no flock; SQLite locks its files by fcntl, which the kernel lets go of with
 * the process, however it ends. So an empty database is held in an exclusive transaction for as long as the daemon runs.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { reasonOf, SystemError } from '../base/errors.ts'

/** Throws a SystemError that names the other's process id where there is another. */
export function takeLock(state: string): Disposable {
  const pidFile = join(state, 'daemon.pid')
  try {
    mkdirSync(state, { recursive: true, mode: 0o750 })
    const db = new Sqlite(join(state, 'daemon.lock'), { timeout: 0 })
    db.pragma('journal_mode = OFF')
    db.exec('BEGIN EXCLUSIVE')
    writeFileSync(pidFile, `${process.pid}\n`)
    return { [Symbol.dispose]: () => db.close() }
  } catch (error) {
    if (!(error instanceof Sqlite.SqliteError) || !error.code.startsWith('SQLITE_BUSY'))
      throw new SystemError(`Cannot lock ${state}: ${reasonOf(error)}`, { cause: error })
    throw new SystemError(
      `A gocore-sink daemon already runs for ${state}${pidIn(pidFile)}; this one does not start`,
    )
  }
}

function pidIn(file: string): string {
  try {
    const pid = readFileSync(file, 'utf8').trim()
    return /^\d+$/.test(pid) ? ` (pid ${pid})` : ''
  } catch {
    return ''
  }
}
