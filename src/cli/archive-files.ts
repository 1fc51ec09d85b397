/** The files of one dump in the archive, the executable and libraries included, by their names below its root. */
import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { LocalStore } from '../archive/index.ts'
import type { DumpEntry } from '../archive/store.ts'

export function archiveFiles(store: LocalStore, dump: DumpEntry): { name: string; path: string }[] {
  const { executable, libraries } = dump.manifest
  const keys = [executable?.key, ...libraries.map(library => library.key)].filter(key => key !== undefined)
  const binaries = [...new Set(keys)].flatMap(key => {
    const path = store.binaryPath(key)
    return path === undefined ? [] : [dirname(path)]
  })
  const format = join(store.root, 'format.json')
  return [
    ...(existsSync(format) ? [format] : []),
    ...[store.layout.dump(dump), ...binaries].flatMap(regularFiles),
  ].map(path => ({ name: relative(store.root, path), path }))
}

const regularFiles = (folder: string): string[] =>
  readdirSync(folder)
    .sort()
    .map(name => join(folder, name))
    .filter(path => lstatSync(path).isFile())
