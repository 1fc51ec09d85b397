/** The dumps of an archive one by one, in turns with others: `list` reads a day in one go, which may have very many. */
import { latestDays } from '../archive/latest-days.ts'
import type { Manifest } from '../archive/manifest.ts'
import type { ArchiveStore, DumpEntry, DumpRef, OnUnlisted } from '../archive/store.ts'
import { NotFoundError } from '../base/errors.ts'
import { Turn } from './steps.ts'

export interface EveryDumpOptions {
  /** Only so many of the newest days, as a scan takes them. */
  readonly days?: number | undefined
  /** Told of a manifest that can't be read. */
  readonly onBroken?: (ref: DumpRef, error: unknown) => void
  readonly onUnlisted: OnUnlisted
}

/** Newest days first, those of a day in no order. */
export async function* everyDump(
  store: ArchiveStore,
  { days: newest, onBroken = () => {}, onUnlisted }: EveryDumpOptions,
): AsyncGenerator<DumpEntry> {
  const turn = new Turn()
  const all = store.days(onUnlisted)
  for (const day of newest === undefined ? all : latestDays(all, newest))
    for (const id of store.ids(day, onUnlisted)) {
      await turn.pass()
      let manifest: Manifest
      try {
        manifest = store.readManifest({ id, day })
      } catch (error) {
        if (!(error instanceof NotFoundError)) onBroken({ id, day }, error)
        continue
      }
      yield { id, day, manifest }
    }
}
