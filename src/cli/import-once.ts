/** An import under a lease: of two of the same core one does the work, and one that was cut is in nobody's way. */
import {
  type DumpEntry,
  type DumpRef,
  type Imported,
  type ImportedFile,
  type ImportWatch,
  importExecutable,
  type LocalStore,
} from '../archive/index.ts'
import { Leases, leaseBeat } from '../archive/lease.ts'
import { leaseOn } from './lease.ts'

/** Longer than the lease of a dead one counts. */
const waitMs = 120_000

/** Does `work`, which makes the dump of this id, unless it is there. `watch` keeps the lease alive while bytes are on their way. */
export async function importOnce(
  store: LocalStore,
  id: string,
  work: (watch: ImportWatch) => Imported | Promise<Imported>,
): Promise<Imported> {
  const [known] = store.find(id)
  if (known) return { ref: known, isNew: false }
  const leases = new Leases(store)
  using lease = await leaseOn(leases, id, waitMs)
  let beaten = performance.now()
  const onProgress = (): void => {
    if (performance.now() - beaten < leaseBeat) return
    beaten = performance.now()
    leases.beat()
  }
  return await work({ onProgress, isHeld: () => lease.isHeld() })
}

/** Gives a dump that is there the executable that it lacks. */
export async function importMissing(
  store: LocalStore,
  ref: DumpRef,
  executable: ImportedFile,
): Promise<void> {
  using _lease = await leaseOn(new Leases(store), ref.id, waitMs)
  importExecutable(store, ref, executable)
}

/** Of another node's spool: the rest of a core, put behind what the archive has of it. */
export async function importRest(store: LocalStore, from: LocalStore, dump: DumpEntry): Promise<Imported> {
  const { joinDump } = await import('../daemon/index.ts')
  const { id, day } = dump
  const leases = new Leases(store)
  using lease = await leaseOn(leases, id, waitMs)
  const beat = setInterval(() => leases.beat(), leaseBeat).unref()
  try {
    return { ref: { id, day }, isNew: await joinDump(store, from, dump, lease) }
  } finally {
    clearInterval(beat)
  }
}
