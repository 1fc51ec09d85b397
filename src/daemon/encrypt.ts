/**
 * Puts an encrypted core in the place of a plain one: written beside it, synced, read back and compared; then the manifest
 * names it, and only then the plain one goes. Whenever this is cut, one of the two is there whole.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, renameSync, rmSync } from 'node:fs'
import type { LocalStore, Manifest } from '../archive/index.ts'
import { coreFile, encryptedFile, encryptedPartFile, manifestFile } from '../archive/layout.ts'
import type { DumpRef } from '../archive/store.ts'
import { createFile, syncDirectory, writeFileAtomic } from '../base/atomic-file.ts'
import { ArchiveError } from '../base/errors.ts'
import { encryptTo, hashOfFile } from '../source/index.ts'

/** Whether this dump's core lies there as it came. */
export const isPlain = ({ core }: Manifest): boolean => core.state !== 'none' && core.encrypted === undefined

/**
 * Encrypts the core of a dump, which the caller has a lease on; false where there is nothing to encrypt. What another
 * attempt left is begun again. Throws where the archive can't be written or a public key is none; the plain core is then
 * as it was.
 */
export async function encryptDump(
  store: LocalStore,
  ref: DumpRef,
  recipients: readonly string[],
  signal?: AbortSignal,
): Promise<boolean> {
  const manifest = store.readManifest(ref)
  const at = (name: string): string => store.layout.file(ref, name)
  if (manifest.core.encrypted !== undefined) {
    dropPlain(store, ref)
    return false
  }
  if (!isPlain(manifest) || !isFile(at(coreFile))) return false
  rmSync(at(encryptedPartFile), { force: true })
  const rights = store.rights.forCrash(manifest)
  const from = openSync(at(coreFile), constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    const to = createFile(at(encryptedPartFile), rights.file)
    try {
      const { size, sha256 } = await encryptTo(recipients, from, to, signal)
      if (fstatSync(to).size !== size || hashOfFile(to) !== sha256)
        throw new ArchiveError(`${at(encryptedPartFile)} does not read back as it was written`)
      renameSync(at(encryptedPartFile), at(encryptedFile))
      syncDirectory(store.layout.dump(ref))
      const encrypted = { to: recipients, sha256, time: new Date().toISOString() }
      const core = { ...manifest.core, file: encryptedFile, stored_size: size, encrypted }
      const text = `${JSON.stringify({ ...manifest, core }, null, 2)}\n`
      writeFileAtomic(at(manifestFile), text, rights.file)
    } catch (error) {
      rmSync(at(encryptedPartFile), { force: true })
      throw error
    } finally {
      closeSync(to)
    }
  } finally {
    closeSync(from)
  }
  dropPlain(store, ref)
  return true
}

/** The manifest names the encrypted core: the plain one is what a cut attempt left. */
function dropPlain(store: LocalStore, ref: DumpRef): void {
  if (!isFile(store.layout.file(ref, encryptedFile))) return
  rmSync(store.layout.file(ref, coreFile), { force: true })
  syncDirectory(store.layout.dump(ref))
}

const isFile = (path: string): boolean => lstatSync(path, { throwIfNoEntry: false })?.isFile() ?? false
