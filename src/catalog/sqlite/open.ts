/**
 * Opens a catalog file for its writer (the daemon, or a command run by root) or for readers beside it. A catalog is a
 * cache: the writer replaces a damaged one by an empty one and says so, a reader gets a sentence with the way out.
 */
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname } from 'node:path'
import Sqlite, { type Database } from 'better-sqlite3'
import { makePath } from '../../base/directory.ts'
import { NotFoundError, reasonOf, SinkError, SystemError } from '../../base/errors.ts'
import type { Catalog } from '../catalog.ts'
import { SqliteCatalog } from './catalog.ts'
import { migrate, readVersion, schemaVersion } from './migrate.ts'
import { wordyBefore } from './schema/index.ts'

export interface OpenOptions {
  /** Opens beside a writer and never changes the file. */
  readonly?: boolean
  /** Told in a sentence when a damaged file was put aside and an empty one begun; it wants a reindex then. */
  onRebuilt?: (sentence: string) => void
}

/** How long a statement waits for another process's write. */
const busyMs = 5000

/** `:memory:` gives a catalog that ends with the process. */
export function openCatalog(path: string, options: OpenOptions = {}): Catalog {
  return new SqliteCatalog(options.readonly ? openReadonly(path) : openWriter(path, options.onRebuilt))
}

/** More memory than a command should take for it. */
const mostCopied = 256 << 20

/** A catalog in memory with the rows of this file, for who may not write it or has no room; undefined for a large one. */
export function copyCatalog(path: string): Catalog | undefined {
  if (statSync(path).size > mostCopied) return undefined
  const file = openReadonly(path)
  try {
    const bytes = file.serialize()
    // "File format version numbers" (SQLite, Database File Format, 1.3.3): 1 is without a write-ahead log, which memory can't have.
    bytes.fill(1, 18, 20)
    return new SqliteCatalog(new Sqlite(bytes))
  } finally {
    file.close()
  }
}

/** Whether a version made the catalog that put in what is not for all readers; false where there is none, or it can't be told. */
export function isWordy(path: string): boolean {
  try {
    const db = new Sqlite(path, { readonly: true, fileMustExist: true, timeout: busyMs })
    try {
      const version = readVersion(db, path)
      return version > 0 && version < wordyBefore
    } finally {
      db.close()
    }
  } catch {
    return false
  }
}

function openWriter(path: string, onRebuilt?: (sentence: string) => void): Database {
  if (path !== ':memory:') {
    makePath(dirname(path), 0o750)
    // What a crash printed may be secret. SQLite gives the files beside it the same rights.
    makeFile(path, { mode: 0o600 })
  }
  try {
    // SQLite opens it for reading where that is all we may, and says nothing of rights.
    if (path !== ':memory:') accessSync(path, constants.R_OK | constants.W_OK)
    return prepareWriter(path)
  } catch (error) {
    if (!isDamage(error)) throw asSinkError(path, error)
    const aside = `${path}.damaged`
    renameSync(path, aside)
    for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true })
    makeFile(path, statSync(aside))
    const db = prepareWriter(path)
    onRebuilt?.(
      `The catalog ${path} was damaged (${reasonOf(error)}): kept it as ${aside} and began an empty one`,
    )
    return db
  }
}

/** An empty file with these rights, where there is none. */
function makeFile(path: string, { mode, gid }: { mode: number; gid?: number }): void {
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  try {
    if (gid !== undefined) fchownSync(fd, -1, gid)
    fchmodSync(fd, mode & 0o777)
  } catch {
    // Then it is for whoever made it alone.
  } finally {
    closeSync(fd)
  }
}

function prepareWriter(path: string): Database {
  const db = new Sqlite(path, { timeout: busyMs })
  try {
    migrate(db, path)
    // WAL lets readers go on while the daemon writes. With it, NORMAL can lose the last rows at a power cut but
    // never the file, and the scan brings lost rows back.
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = NORMAL')
    db.pragma('foreign_keys = ON')
    // A text that was removed is not to lie in free pages. FTS5's own would cost a hundred times what a deletion does; there
    // single words stay until their part of the index is merged.
    db.pragma('secure_delete = ON')
    // A first read makes the files beside it, which readers without the right to write can't make themselves.
    db.prepare('SELECT max(time) FROM crash').get()
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function openReadonly(path: string): Database {
  try {
    accessSync(path, constants.R_OK)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw asSinkError(path, error)
    throw new NotFoundError(`There is no catalog at ${path}; gocore-sink reindex or the daemon makes it`)
  }
  let db: Database | undefined
  try {
    db = new Sqlite(path, { readonly: true, timeout: busyMs })
    const version = readVersion(db, path)
    if (version < schemaVersion)
      throw new SystemError(
        `The catalog ${path} has version ${version}; restart the daemon or run gocore-sink reindex`,
      )
    return db
  } catch (error) {
    db?.close()
    throw asSinkError(path, error)
  }
}

/** Whether SQLite says that the file itself is broken. */
export const isDamage = (error: unknown): boolean =>
  error instanceof Sqlite.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code)

/** Whether SQLite refuses a row for what is in it. */
export const isRefusal = (error: unknown): boolean =>
  error instanceof Sqlite.SqliteError && error.code.startsWith('SQLITE_CONSTRAINT')

function asSinkError(path: string, error: unknown): SinkError {
  if (error instanceof SinkError) return error
  if (isDamage(error))
    return new SystemError(
      `The catalog ${path} is damaged (${reasonOf(error)}); run gocore-sink reindex to build it anew from the archive`,
      { cause: error },
    )
  return new SystemError(`Cannot open the catalog ${path}: ${reasonOf(error)}`, { cause: error })
}
