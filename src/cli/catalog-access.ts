/**
 * Which catalog a reader gets. The machine's own, which the daemon keeps; brought up to date here where the daemon is
 * behind or absent and we may write it. Whoever may not, or looks at another machine's archive, gets a catalog of
 * their own below XDG_CACHE_HOME (XDG Base Directory Specification), and one in memory where even that fails.
 */
import { createHash } from 'node:crypto'
import { realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { latestDays } from '../archive/latest-days.ts'
import type { ArchiveStore, DumpRef } from '../archive/store.ts'
import { makePath } from '../base/directory.ts'
import { type Catalog, copyCatalog, openCatalog } from '../catalog/index.ts'
import type { Config } from '../config/index.ts'
import { startProgress } from './render/progress.ts'

const catalogPath = (config: Config): string => join(config.state, 'catalog.db')

/** The catalog of this archive: the machine's, or one's own. */
export const catalogFile = ({ config, foreign }: CatalogPlace): string =>
  foreign ? ownPath(config) : catalogPath(config)

/** Whose catalog it is to be. */
export interface CatalogPlace {
  readonly config: Config
  readonly store: ArchiveStore
  /** The archive is not the one that the machine's catalog belongs to. */
  readonly foreign: boolean
}

export async function openForReading(place: CatalogPlace): Promise<Catalog> {
  const { config, store, foreign } = place
  if (foreign) return openOwn(config, store)
  let reader: Catalog | undefined
  try {
    reader = openCatalog(catalogPath(config), { readonly: true })
    if (isCurrent(store, reader)) return reader
  } catch {
    // None yet, or one that only its writer can mend.
  }
  // The newest days are what somebody waits for; with nothing there, everything is new.
  const behind = reader ? { days: recentDays } : {}
  const writer = await synced(store, () => openCatalog(catalogPath(config)), behind)
  if (writer !== undefined) {
    reader?.close()
    return writer
  }
  if (reader === undefined) return openOwn(config, store)
  // We may not write it, or there is no room. Old rows are better than a catalog built from nothing for each call.
  const copy = await synced(store, () => copyCatalog(catalogPath(config)), behind)
  if (copy !== undefined) reader.close()
  else
    process.stderr.write('(the catalog could not be brought up to date: the latest crashes may be missing)\n')
  return copy ?? reader
}

/** Opened and brought up to date; undefined where either fails. */
async function synced(
  store: ArchiveStore,
  open: () => Catalog | undefined,
  options: { days?: number },
): Promise<Catalog | undefined> {
  let catalog: Catalog | undefined
  try {
    catalog = open()
    if (catalog !== undefined) await sync(store, catalog, options)
    return catalog
  } catch {
    catalog?.close()
    return undefined
  }
}

/** The machine's catalog, whatever has become of the archive; undefined where there is none that we may read. */
export function openAsItIs({ config }: CatalogPlace): Catalog | undefined {
  try {
    return openCatalog(catalogPath(config), { readonly: true })
  } catch {
    return undefined
  }
}

/** To be kept in line with a change to the archive; undefined where we may not, and the daemon will. */
export function openForWriting(place: CatalogPlace): Catalog | undefined {
  try {
    return openCatalog(catalogFile(place))
  } catch {
    return undefined
  }
}

/** After a change to the archive: the rows of these dumps. */
export async function refreshRows(place: CatalogPlace, dumps: readonly DumpRef[]): Promise<void> {
  const { syncDump } = await import('../daemon/index.ts')
  const catalog = openForWriting(place)
  if (!catalog) return
  try {
    for (const dump of dumps) if (!syncDump(place.store, catalog, dump)) catalog.remove(dump.id)
  } finally {
    catalog.close()
  }
}

const recentDays = 2
/** So many dumps of a day are looked up one by one; a busier day has a daemon. */
const mostLookups = 2000

/** Whether the catalog knows the dumps of the newest days: what a daemon that runs has seen to. */
function isCurrent(store: ArchiveStore, catalog: Catalog): boolean {
  for (const day of latestDays(store.days(), recentDays)) {
    const ids = store.ids(day)
    if (ids.length <= mostLookups && ids.some(id => catalog.get(id) === undefined)) return false
  }
  return true
}

async function openOwn(config: Config, store: ArchiveStore): Promise<Catalog> {
  const own = await synced(store, () => openCatalog(ownPath(config)), {})
  if (own !== undefined) return own
  const catalog = openCatalog(':memory:')
  await sync(store, catalog, {})
  return catalog
}

function ownPath(config: Config): string {
  const folder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'gocore-sink')
  makePath(folder, 0o700)
  const name = createHash('sha256').update(realpathSync(config.archive)).digest('hex').slice(0, 16)
  return join(folder, `${name}.db`)
}

async function sync(store: ArchiveStore, catalog: Catalog, options: { days?: number }): Promise<void> {
  const { syncCatalog } = await import('../daemon/index.ts')
  using progress = startProgress('reading the archive', { format: n => `${n} days` })
  await syncCatalog(store, catalog, {
    ...options,
    onProgress: (done, of) => progress.update(done, of),
    onUnlisted: (_, error) => process.stderr.write(`(${error.message}: crashes may be missing)\n`),
  })
}
