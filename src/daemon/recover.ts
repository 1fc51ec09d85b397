/**
 * Makes honest dumps of what handlers left behind that were killed in the middle (by the out-of-memory killer, a
 * shutdown, a power cut): the facts are in `pending.json`, and what came of the core in `core.lz4.part`.
 */
import { lstatSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { uptime } from 'node:os'
import { join } from 'node:path'
import { type LocalStore, type Manifest, parseManifest, type StoredCore } from '../archive/index.ts'
import { coreFile, manifestFile, partFile, pendingFile } from '../archive/layout.ts'
import type { DumpRef } from '../archive/store.ts'
import { syncDirectory, writeFileAtomic } from '../base/atomic-file.ts'
import { reasonOf } from '../base/errors.ts'
import { openCoreFile } from '../source/index.ts'

export interface Recovery {
  readonly ref: DumpRef
  /** A sentence for the log. */
  readonly what: string
}

const hour = 60 * 60 * 1000

export interface RecoverOptions {
  /** Ids of a day that are dumps already, which need no look. */
  known?: (day: string) => Iterable<string>
  now?: number
  /** When this machine was started. */
  booted?: number
}

/** Looks at the directories that have no manifest. */
export function recoverDumps(store: LocalStore, options: RecoverOptions = {}): Recovery[] {
  const { known, now = Date.now(), booted = now - uptime() * 1000 } = options
  const recovered: Recovery[] = []
  for (const day of store.days()) {
    const unknown = new Set(store.ids(day)).difference(new Set(known?.(day)))
    for (const id of unknown) {
      const ref = { id, day }
      try {
        const what = recoverDump(store, ref, now, booted)
        if (what !== undefined) recovered.push({ ref, what })
      } catch (error) {
        recovered.push({ ref, what: `its handler was killed, and it can't be recovered: ${reasonOf(error)}` })
      }
    }
  }
  return recovered
}

function recoverDump(store: LocalStore, ref: DumpRef, now: number, booted: number): string | undefined {
  const path = (name: string): string => store.layout.file(ref, name)
  if (exists(path(manifestFile)) || !exists(path(pendingFile))) return undefined
  const pending = parseManifest(readFileSync(path(pendingFile), 'utf8'), path(pendingFile))
  if (!isAbandoned(pending, latestChange(store.layout.dump(ref)), now, booted)) return undefined
  if (exists(path(partFile))) renameSync(path(partFile), path(coreFile))
  const core = coreOf(path(coreFile))
  const manifest: Manifest = { ...pending, id: ref.id, core, notes: [...pending.notes, killed] }
  const rights = store.rights.forDumpable(pending.dumpable)
  writeFileAtomic(path(manifestFile), `${JSON.stringify(manifest, null, 2)}\n`, rights.file)
  rmSync(path(pendingFile), { force: true })
  syncDirectory(store.layout.dump(ref))
  return `its handler was killed; listed it as ${core.state} with ${core.raw_size} bytes of core`
}

const killed = 'The handler was killed before it could write this manifest; the daemon wrote it.'

/**
 * A handler that merely waits for its storage must not lose the file beneath its hands. One of before this machine's start
 * is surely dead; one of this start gives storage up long before an hour; of other machines we know nothing, so
 * theirs have a day.
 */
function isAbandoned({ host }: Manifest, changed: number, now: number, booted: number): boolean {
  const here = host.machine_id !== undefined && host.machine_id === machineId()
  if (!here) return now - changed > 24 * hour
  // A minute for what the clocks of this machine and its storage differ.
  return changed < booted - 60_000 || now - changed > hour
}

function coreOf(path: string): StoredCore {
  if (!exists(path)) {
    const detail = 'The handler was killed before the first byte of the core'
    return { state: 'none', reason: 'handler-error', detail, raw_size: 0, stored_size: 0 }
  }
  const { size } = statSync(path)
  const cut: Omit<StoredCore, 'detail' | 'raw_size'> = {
    ...{ state: 'truncated', reason: 'handler-error', file: coreFile, stored_size: size },
  }
  try {
    using source = openCoreFile(path)
    return { ...cut, raw_size: source.size, detail: 'The handler was killed before it had the whole core' }
  } catch (error) {
    return {
      ...cut,
      raw_size: 0,
      detail: `The handler was killed, and what it wrote can't be read: ${reasonOf(error)}`,
    }
  }
}

const exists = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false

function latestChange(directory: string): number {
  const times = [
    directory,
    join(directory, pendingFile),
    join(directory, partFile),
    join(directory, coreFile),
  ]
  return Math.max(...times.map(path => lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0))
}

function machineId(): string | undefined {
  try {
    return readFileSync('/etc/machine-id', 'utf8').trim() || undefined
  } catch {
    return undefined
  }
}
