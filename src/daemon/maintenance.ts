/** Opens what the daemon works on, and makes a catalog good again that turned out to be damaged. */
import { closeSync, constants, fchmodSync, fchownSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { findGroup } from '../archive/access.ts'
import { initializeStore, type LocalStore, openLocalStore } from '../archive/index.ts'
import { rememberArchive, whyNotMounted } from '../archive/known.ts'
import { openToUsers } from '../archive/own-dumps.ts'
import { makePath } from '../base/directory.ts'
import { ArchiveError, reasonOf } from '../base/errors.ts'
import { type Catalog, isWordy, openCatalog } from '../catalog/index.ts'
import type { Config } from '../config/index.ts'
import type { Log } from './log.ts'

export const catalogPath = (config: Pick<Config, 'state'>): string => join(config.state, 'catalog.db')

/** The archive that the configuration names, made where it does not exist yet, but not in the place of one that is not mounted. */
export function openArchive(
  config: Pick<Config, 'archive' | 'group' | 'state'> & Partial<Pick<Config, 'userAccess'>>,
): LocalStore {
  const store = openLocalStore(config.archive, {
    group: config.group,
    userAccess: config.userAccess === true,
  })
  try {
    const absent = whyNotMounted(config.state, config.archive)
    if (absent !== undefined) throw new ArchiveError(absent)
    initializeStore(store)
    rememberArchive(config.state, config.archive)
  } catch (error) {
    throw new ArchiveError(`Cannot use the archive ${config.archive}: ${reasonOf(error)}`, { cause: error })
  }
  if (store.rights.users) openToItsUsers(store)
  return store
}

/** Storage that refuses it (root_squash) is one that nobody but its owner reads. */
function openToItsUsers({ layout, rights }: LocalStore): void {
  try {
    openToUsers(layout, rights)
  } catch {
    // What is granted dump by dump will say so.
  }
}

/**
 * The catalog for its one steady writer. The archive's group may read it, as it may read the manifests: of what is not for
 * the group it has no words. One that was made for other readers, or by a version that did not see to that, is begun anew.
 */
export function openOwnCatalog(config: Pick<Config, 'state' | 'group'>, log: Log): Catalog {
  const path = catalogPath(config)
  const gid = findGroup(config.group)
  const mode = gid === undefined ? 0o600 : 0o640
  const before = statSync(path, { throwIfNoEntry: false })
  const isOthers =
    before !== undefined && ((before.mode & 0o777) !== mode || (gid ?? before.gid) !== before.gid)
  if (isOthers || (gid !== undefined && isWordy(path))) {
    for (const suffix of ['', '-wal', '-shm', '-journal', '.damaged']) rmSync(path + suffix, { force: true })
    log.info(`${path} was made for other readers: building a new one`)
  }
  giveRights(path, mode, gid, log)
  return openCatalog(path, { onRebuilt: sentence => log.warning(sentence) })
}

/** Before it is opened: SQLite makes the files beside it with the same rights. */
function giveRights(path: string, mode: number, gid: number | undefined, log: Log): void {
  makePath(dirname(path), 0o750)
  const fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW, 0o600)
  try {
    if (gid !== undefined) fchownSync(fd, -1, gid)
    fchmodSync(fd, mode)
  } catch (error) {
    log.warning(`Could not give ${path} its rights, others may be unable to read it: ${reasonOf(error)}`)
  } finally {
    closeSync(fd)
  }
}

/** Puts a damaged catalog aside; the next opening begins an empty one. */
export function putAside(config: Pick<Config, 'state'>): string {
  const path = catalogPath(config)
  renameSync(path, `${path}.damaged`)
  for (const suffix of ['-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true })
  return `${path}.damaged`
}

/** An archive that is not mounted looks empty, and must not empty the catalog. */
export function requireArchive(store: { root: string }): void {
  try {
    statSync(join(store.root, 'format.json'))
  } catch (error) {
    throw new ArchiveError(`The archive ${store.root} is not there: ${reasonOf(error)}`, { cause: error })
  }
}
