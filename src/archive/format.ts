/** `format.json`: that a directory is an archive, and of which layout. */
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../base/atomic-file.ts'
import { ArchiveError, FormatError } from '../base/errors.ts'
import type { Rights } from './access.ts'
import { makeDirectories } from './directories.ts'
import { readText } from './files.ts'
import { formatFile, formatVersion } from './layout.ts'

/** Refuses a newer layout, and what is no archive; an archive that is still empty is not an error. */
export function checkFormat(root: string): void {
  const file = join(root, formatFile)
  const text = readText(file, 65536)
  if (text === undefined) return
  let format: { schema?: unknown; version?: unknown }
  try {
    format = JSON.parse(text) as typeof format
  } catch (error) {
    throw new FormatError({ file, section: 'format', offset: 0 }, (error as Error).message)
  }
  if (format?.schema !== 'gocore-archive')
    throw new FormatError({ file, section: 'format', offset: 0 }, 'schema is not "gocore-archive"')
  if (format.version !== formatVersion)
    throw new ArchiveError(
      `${file} says version ${JSON.stringify(format.version)}, this program reads ${formatVersion}; install the newer gocore-sink`,
    )
}

/** Makes the root and `format.json` where they are missing, before something is stored. */
export function initializeStore(store: { readonly root: string; readonly rights: Rights }): void {
  makeDirectories(store.root, store.root, store.rights.directory)
  const path = join(store.root, formatFile)
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return
  const format = { schema: 'gocore-archive', version: formatVersion }
  // Whoever passes through must know what they read, and it says nothing of any dump.
  const { file, users } = store.rights
  const access = users ? { ...file, mode: 0o644 } : file
  writeFileAtomic(path, `${JSON.stringify(format)}\n`, access)
}
