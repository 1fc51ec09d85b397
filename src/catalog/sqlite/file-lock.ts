/**
 * A lock between processes. Node has no flock; SQLite locks its files by fcntl, which the kernel lets go of with the
 * process, however it ends. So an empty database is held in an exclusive transaction.
 */
import Sqlite from 'better-sqlite3'

/** Undefined where another process has it. `path` must be on a disk of this machine. */
export function takeFileLock(path: string): Disposable | undefined {
  const db = new Sqlite(path, { timeout: 0 })
  try {
    db.pragma('journal_mode = OFF')
    db.exec('BEGIN EXCLUSIVE')
    return { [Symbol.dispose]: () => db.close() }
  } catch (error) {
    db.close()
    if (error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_BUSY')) return undefined
    throw error
  }
}
