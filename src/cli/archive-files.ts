/**
 * The files of one dump in the archive, the executable and libraries included, by their names below its root. They are asked
 * for by name: whoever may read a dump of theirs alone can list no directory, and what a change left behind that was cut,
 * a core that has been encrypted since above all, is no part of the dump.
 */
import { lstatSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { LocalStore } from '../archive/index.ts'
import {
  analysisFile,
  binaryFile,
  binaryInfoFile,
  formatFile,
  manifestFile,
  reportFile,
} from '../archive/layout.ts'
import { binaryKeysOf } from '../archive/manifest.ts'
import type { DumpEntry } from '../archive/store.ts'

export function archiveFiles(store: LocalStore, dump: DumpEntry): { name: string; path: string }[] {
  const core = store.corePath(dump)
  const binaries = [...new Set(binaryKeysOf(dump.manifest))].flatMap(key => {
    const path = store.binaryPath(key)
    return path === undefined ? [] : [binaryFile, binaryInfoFile].map(name => join(dirname(path), name))
  })
  return [
    join(store.root, formatFile),
    ...[analysisFile, manifestFile, reportFile].map(name => store.layout.file(dump, name)),
    ...(core === undefined ? [] : [core]),
    ...binaries,
  ]
    .filter(path => lstatSync(path, { throwIfNoEntry: false })?.isFile())
    .map(path => ({ name: relative(store.root, path), path }))
}
