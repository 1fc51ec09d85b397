/** Dumps by what people type: any unique beginning of an id, or nothing for the latest. */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { LocalStore } from '../archive/index.ts'
import { formatFile } from '../archive/layout.ts'
import type { DumpEntry, DumpRef } from '../archive/store.ts'
import { FormatError, NotFoundError, reasonOf, UnsupportedError, UsageError } from '../base/errors.ts'
import type { Site } from './site.ts'

/** Whether a text can be (the beginning of) an id: lower-case base32. */
export const looksLikeId = (text: string): boolean => /^[a-z2-7]{1,12}$/.test(text)

/** Throws NotFoundError for none, UsageError for several. */
export async function findDump(site: Site, prefix: string | undefined): Promise<DumpEntry> {
  if (prefix === undefined) return latest(site)
  const found = await dumpsByPrefix(site, prefix)
  const [damaged] = found.length === 0 ? damagedDumps(site, prefix) : []
  if (damaged !== undefined)
    throw new UnsupportedError(
      `Dump ${damaged.id}`,
      `${reasonOf(damaged.error)}; gocore-sink rm ${damaged.id} removes it`,
    )
  if (found.length === 0)
    throw new NotFoundError(
      `There is no dump ${JSON.stringify(prefix)} in ${presentStore(site).root}; gocore-sink ls lists what there is.`,
    )
  if (found.length > 1) {
    const some = found.slice(0, 4).map(dump => dump.id)
    throw new UsageError(
      `${JSON.stringify(prefix)} is the beginning of ${found.length} ids (${some.join(', ')}${found.length > 4 ? ', …' : ''}); give more of it.`,
    )
  }
  return found[0]!
}

/** Those whose manifest is damaged, or of another version, by the beginning of their ids. */
export function damagedDumps({ store }: Site, prefix: string): (DumpRef & { error: Error })[] {
  const damaged: (DumpRef & { error: Error })[] = []
  store.find(prefix, (ref, error) => {
    if (error instanceof FormatError) damaged.push({ ...ref, error })
  })
  return damaged
}

/** The archive, for who does something with the whole of it: what is not there is neither sound nor empty. */
export function presentStore({ store }: Pick<Site, 'store'>): LocalStore {
  if (!existsSync(join(store.root, formatFile))) throw nothingYet(store.root)
  return store
}

/** For who asks for the latest of no crashes. */
export function nothingYet(archive: string): NotFoundError {
  return new NotFoundError(
    statSync(archive, { throwIfNoEntry: false })?.isDirectory()
      ? `No crashes are recorded in ${archive} yet; gocore-sink doctor says whether they can arrive.`
      : `There is no archive ${archive} on this machine; gocore-sink doctor says whether crashes can arrive.`,
  )
}

/** All dumps whose id begins so: by the catalog where it knows any, else by looking through the archive. */
export async function dumpsByPrefix(site: Site, prefix: string): Promise<DumpEntry[]> {
  if (!looksLikeId(prefix)) return []
  const rows = (await site.catalog()).byPrefix(prefix, 20)
  const known = rows.flatMap(({ id, day }) => read(site, { id, day }))
  return known.length > 0 ? known : site.store.find(prefix)
}

async function latest(site: Site): Promise<DumpEntry> {
  const row = (await site.catalog()).latest()
  // Which says so where it is not there.
  const { root } = site.store
  const dump = row && read(site, row)[0]
  if (!dump) throw nothingYet(root)
  return dump
}

/** Nothing for a dump that was removed since the catalog saw it. */
function read(site: Site, { id, day }: { id: string; day: string }): DumpEntry[] {
  try {
    return [{ id, day, manifest: site.store.readManifest({ id, day }) }]
  } catch (error) {
    if (error instanceof NotFoundError) return []
    throw error
  }
}
