/**
 * Where a dump can go: the archive, else the spool on this machine's own disk, which has the archive's layout and from
 * which the daemon brings it home. Where neither takes it, the kernel log says what was lost.
 */
import type { Crash } from '../archive/access.ts'
import { beginDump, type DumpWriter } from '../archive/dump-writer.ts'
import { openLocalStore } from '../archive/local-store.ts'
import type { Manifest } from '../archive/manifest.ts'
import { reasonOf, SystemError } from '../base/errors.ts'
import { type Config, spoolRoot } from '../config/index.ts'

export interface Place {
  dump: DumpWriter
  /** Why it isn't the archive. */
  fallback?: string
}

/** Room for a manifest and the beginning of a core. */
const leastFree = 512 * 1024

/** Begins a dump of this crash in the first place that takes one; `failures` says why the others didn't. */
export function findPlace(config: Config, time: Date, crash: Crash): { place?: Place; failures: string[] } {
  const failures: string[] = []
  for (const root of [config.archive, spoolRoot(config)]) {
    try {
      const userAccess = config.userAccess && root === config.archive
      const dump = beginDump(openLocalStore(root, { group: config.group, userAccess }), time, crash)
      // A read-only disk shows here, and a full one: not at the first block.
      void dump.fd
      const free = dump.free()
      if (free < leastFree) {
        dump.abandon()
        throw new SystemError(`only ${free} bytes are free`)
      }
      return { place: failures.length > 0 ? { dump, fallback: failures[0]! } : { dump }, failures }
    } catch (error) {
      failures.push(`Could not write to ${root}: ${reasonOf(error)}`)
    }
  }
  return { failures }
}

/** Leaves the record of a crash, without its core, in the spool: the archive took neither. Throws where that fails, too. */
export function recordInSpool(config: Config, time: Date, record: Manifest): void {
  const dump = beginDump(openLocalStore(spoolRoot(config), { group: config.group }), time, record.dumpable)
  dump.finish({ ...record, id: dump.ref.id })
}
