/** The executable and the libraries into the archive, after the process has been let go. */

import { fstatSync } from 'node:fs'
import { type Crash, mayRead } from '../archive/access.ts'
import { readerOf, storeBinary } from '../archive/binaries.ts'
import { findBuildId } from '../archive/build-id.ts'
import type { DumpWriter } from '../archive/dump-writer.ts'
import type { StoredBinary } from '../archive/manifest.ts'
import { reasonOf } from '../base/errors.ts'
import type { MappedFile, MappedFiles } from './mapped-files.ts'

export function storeMappedFiles(
  files: MappedFiles,
  dump: DumpWriter,
  crash: Crash,
  { onNew, onProgress }: { onNew: (size: number) => void; onProgress: () => void },
): { executable?: StoredBinary; libraries: StoredBinary[]; notes: string[] } {
  const notes: string[] = []
  let libraries = 0
  const store = (file: MappedFile): StoredBinary => {
    onProgress()
    try {
      // One who was given a process that was started by another may run what they can't read.
      const isReadable = mayRead(crash, fstatSync(file.fd))
      const rights = isReadable ? dump.rights : dump.rights.withoutReader
      const { key, buildId, size } = storeBinary(dump.store.layout, file.fd, rights, {
        ...{ path: file.path, onNew, onProgress },
      })
      return {
        ...{ key, path: file.path, ...(buildId === undefined ? {} : { build_id: buildId }), size },
        ...(isReadable ? {} : { unreadable: true }),
      }
    } catch (error) {
      const isExecutable = file === files.executable
      const what = isExecutable ? 'its executable' : 'that library'
      if (isExecutable || libraries++ === 0)
        notes.push(`Could not store ${file.path}, storing the core without ${what}: ${reasonOf(error)}`)
      return { path: file.path, size: file.size, ...buildIdOf(file.fd) }
    }
  }
  const stored = {
    ...(files.executable === undefined ? {} : { executable: store(files.executable) }),
    libraries: files.libraries.map(store),
  }
  if (libraries > 1) notes.push(`${libraries} libraries could not be stored`)
  return { ...stored, notes }
}

/** A file that can't be stored is still named by its build id. */
function buildIdOf(fd: number): { build_id?: string } {
  try {
    const buildId = findBuildId(readerOf(fd))
    return buildId === undefined ? {} : { build_id: buildId }
  } catch {
    return {}
  }
}
