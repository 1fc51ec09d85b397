/** Gives a dump another file for its core, encrypted or a part of it, which lies beside the one that counts. */
import { renameSync, rmSync } from 'node:fs'
import type { LocalStore, StoredCore } from '../archive/index.ts'
import type { DumpRef } from '../archive/store.ts'
import { syncDirectory } from '../base/atomic-file.ts'

/** `part` becomes `file`, and the manifest names it, with what `change` makes of its account of the core. */
export function nameCore(
  store: LocalStore,
  ref: DumpRef,
  { part, file }: { readonly part: string; readonly file: string },
  change: (core: StoredCore) => StoredCore,
): void {
  const at = (name: string): string => store.layout.file(ref, name)
  renameSync(at(part), at(file))
  syncDirectory(store.layout.dump(ref))
  try {
    store.changeManifest(ref, ({ core, ...rest }) => ({ ...rest, core: { ...change(core), file } }))
  } catch (error) {
    // What the manifest does not name counts for nothing, and where the storage is full its room is needed.
    if (store.readManifest(ref).core.file !== file) rmSync(at(file), { force: true })
    throw error
  }
}
