/**
 * Dumps of another archive whose handlers were killed, taken in as they are found: of a machine that is no more no daemon
 * makes dumps of them, and its last crash may be among them. The other archive stays as it is.
 */
import { uptime } from 'node:os'
import { importBegun } from '../archive/import.ts'
import type { DumpRef, Imported, ImportWatch, LocalStore } from '../archive/index.ts'
import { ArchiveError } from '../base/errors.ts'
import { isAbandoned, isUnfinished, readBegun, settleSteps } from './recover.ts'

/** Those that have no manifest yet, in days that can be listed. */
export function* begunIn(from: LocalStore): Generator<DumpRef> {
  const unlisted = (): void => {}
  for (const day of from.days(unlisted))
    for (const id of from.ids(day, unlisted)) if (isUnfinished(from, { id, day })) yield { id, day }
}

const hour = 3_600_000

/** Throws where a handler may still be at work on it. The caller has a lease on the id. */
export function importUnfinished(
  store: LocalStore,
  from: LocalStore,
  ref: DumpRef,
  watch: ImportWatch = {},
): Imported {
  const begun = readBegun(from, ref)
  const { pending, changed } = begun
  const now = Date.now()
  // A copy is in nobody's way, so that an hour will do, by which time each handler has given its storage up.
  if (now - changed < hour && !isAbandoned(begun, ref, { now, booted: now - uptime() * 1000 }))
    throw new ArchiveError(
      'its handler may still be at work there: import it again an hour after that was killed',
    )
  if (pending.core.continues !== undefined)
    throw new ArchiveError(
      'it is the rest of a core, and its handler was killed: the daemon of that spool alone can join the two',
    )
  const { imported_from = from.root } = pending
  const manifest = { ...pending, id: ref.id, imported_from }
  importBegun(store, from, ref, manifest, watch)
  for (const _ of settleSteps(store, ref, manifest)) watch.onProgress?.(0, 0)
  return { ref, isNew: true }
}
