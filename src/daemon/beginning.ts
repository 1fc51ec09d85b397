/**
 * What the archive holds already of a dump in the spool: none of it, all of it, or the beginning of its core, which this
 * daemon or another node's may have listed since, and somebody put on hold, encrypted or shrunk.
 */
import { lstatSync } from 'node:fs'
import type { DumpEntry, DumpRef, LocalStore, Manifest, StoredCore } from '../archive/index.ts'
import { coreFile, manifestFile, pendingFile } from '../archive/layout.ts'
import { noteOfRest } from '../archive/rest-note.ts'
import { beginsCore } from './joined-core.ts'
import { killed, knowsCrash } from './recover.ts'

export type Standing =
  /** To be shipped, with what both know of it; `core`: but for the core, of which the archive has all that there is. */
  | { readonly kind: 'wanted'; readonly manifest: Manifest; readonly core?: StoredCore }
  /** The archive has all of it. */
  | { readonly kind: 'there' }
  /** The archive knows more of the crash than the spool does, and has yet to list it. */
  | { readonly kind: 'unlisted' }
  /** The archive's part and the spool's can't be made one core. */
  | { readonly kind: 'apart'; readonly why: string }

export function standingOf(spool: LocalStore, archive: LocalStore, entry: DumpEntry): Standing {
  const { manifest } = entry
  const isKnown = knowsCrash(manifest)
  if (!hasFile(archive, entry, manifestFile))
    return !isKnown && hasFile(archive, entry, pendingFile)
      ? { kind: 'unlisted' }
      : { kind: 'wanted', manifest }
  const there = archive.readManifest(entry)
  if (isShipped(there)) return { kind: 'there' }
  if (isKnown && (there.core.reason === 'handler-error' || isRecovered(there))) return ofRest(entry, there)
  if (there.core.reason !== 'handler-error') return { kind: 'there' }
  return ofLostFacts(spool, archive, entry, there)
}

/** The archive has listed the beginning, of which it may know what the spool does not: a hold, above all. */
function ofRest({ manifest }: DumpEntry, there: Manifest): Standing {
  const { state, continues } = manifest.core
  const own = there.notes.filter(note => note !== killed && !manifest.notes.includes(note))
  const merged = { ...there, ...manifest, notes: [...own, ...manifest.notes] }
  const hasAll = there.core.state === 'complete' || (state === 'none' && there.core.state !== 'none')
  if (hasAll || (continues === undefined && knowsCrash(there) && !hasMore(manifest, there)))
    // Whoever recovered it knew what the handler had written down before the first byte, and no more.
    return isRecovered(there)
      ? { kind: 'wanted', manifest: merged, core: accountOf(manifest, there) }
      : { kind: 'there' }
  const { file = coreFile, encrypted } = there.core
  if (file !== coreFile && continues !== undefined && continues.at > 0)
    return {
      kind: 'apart',
      why: `the beginning in the archive has been ${encrypted === undefined ? 'shrunk' : 'encrypted'}, and the rest begins at byte ${continues.at} of what it was`,
    }
  return { kind: 'wanted', manifest: merged }
}

/** The archive's, but for the reason why there is no more of it, which the handler knew. */
function accountOf({ core: { reason, detail } }: Manifest, { core }: Manifest): StoredCore {
  return core.state === 'truncated' && reason !== undefined && detail !== undefined
    ? { ...core, reason, detail }
    : core
}

/**
 * Whether the spool's core has what the archive's has not: a handler that failed in the archive before the first byte left
 * the facts there, which were listed as a dump of their own, and stored all of the core here.
 */
function hasMore({ core }: Manifest, there: Manifest): boolean {
  if (there.core.state === 'none') return core.state !== 'none'
  return core.raw_size > (there.core.shrunk ?? there.core).raw_size
}

/** The spool does not know any more where its bytes belong; the archive knows the crash. */
function ofLostFacts(spool: LocalStore, archive: LocalStore, entry: DumpEntry, there: Manifest): Standing {
  const { core } = entry.manifest
  if (core.state === 'none' || core.stored_size === 0) return { kind: 'there' }
  if (!beginsCore(spool.layout.file(entry, coreFile)) || core.raw_size <= there.core.raw_size)
    return { kind: 'apart', why: 'a power cut has damaged what it says of where its bytes belong' }
  // It begins with the first byte of the core, and has more of it.
  return {
    kind: 'wanted',
    manifest: { ...there, core: { ...core, continues: { archive: archive.root, at: 0 } } },
  }
}

const isRecovered = ({ notes }: Manifest): boolean => notes.includes(killed)

const shipped = 'Stored on this machine first; shipped to the archive at'
const joined = 'Stored on its machine first; imported at'

/** The note of a dump that came from a spool, this machine's or another one's. */
export const noteOfShipping = ({ imported_from }: Manifest): string =>
  `${imported_from === undefined ? shipped : joined} ${new Date().toISOString()}.`

const isShipped = ({ notes }: Manifest): boolean =>
  notes.some(note => note.startsWith(shipped) || note.startsWith(joined))

/** Tells in the archive where the rest of the core lies, once. */
export function noteApart(spool: LocalStore, archive: LocalStore, entry: DumpEntry, why: string): void {
  const size = lstatSync(spool.layout.file(entry, coreFile), { throwIfNoEntry: false })?.size ?? 0
  const note = noteOfRest(size, spool.root, why)
  if (archive.readManifest(entry).notes.includes(note)) return
  archive.changeManifest(entry, manifest => ({ ...manifest, notes: [...manifest.notes, note] }))
}

export const hasFile = (store: LocalStore, ref: DumpRef, name: string): boolean =>
  lstatSync(store.layout.file(ref, name), { throwIfNoEntry: false }) !== undefined
