/** Directories of the archive: made with rights that the umask does not change, never through a link. */
import { chmodSync, chownSync, lstatSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Access } from '../base/atomic-file.ts'
import { ArchiveError } from '../base/errors.ts'

/** Makes `path` and what is missing above it down from `root`; what exists keeps its rights. */
export function makeDirectories(root: string, path: string, access: Access): void {
  const missing: string[] = []
  for (let at = path; ; at = dirname(at)) {
    // The root may be a link of the administrator's; below it there are none.
    const kind = kindOf(at, at === root || root.startsWith(`${at}/`))
    if (kind === 'directory') break
    if (kind === 'other') throw new ArchiveError(`${at} is not a directory`)
    missing.push(at)
    if (at === root || at === dirname(at)) break
  }
  // The archive's parent is the administrator's: its rights are not ours to choose.
  if (missing.includes(root)) mkdirSync(dirname(root), { recursive: true })
  for (const directory of missing.reverse()) makeDirectory(directory, access)
}

export function makeDirectory(path: string, access: Access): void {
  try {
    mkdirSync(path, { mode: access.mode & 0o700 })
  } catch (error) {
    // Another handler made it in the meantime.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && kindOf(path) === 'directory') return
    throw error
  }
  if (access.gid !== undefined) {
    try {
      chownSync(path, -1, access.gid)
    } catch {
      return
    }
  }
  chmodSync(path, access.mode)
}

function kindOf(path: string, follow = false): 'directory' | 'other' | 'none' {
  try {
    const stat = follow ? statSync(path) : lstatSync(path)
    return stat.isDirectory() ? 'directory' : 'other'
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'none'
    throw error
  }
}
