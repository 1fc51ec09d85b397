/** Files and directories as an installer of a root program must make them: whole, owned by root, writable by nobody else. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fchmodSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { syncDirectory } from '../base/atomic-file.ts'
import { setDirectoryRights } from '../base/directory.ts'
import { SystemError } from '../base/errors.ts'
import type { TreeEntry } from './step.ts'

/**
 * Refuses a path that someone other than root could replace: whoever can write the handler, or rename a directory
 * above it, runs code as root at the next crash. Directories with the sticky bit (`/tmp`) pass as parents, since there
 * nobody can move what is root's.
 */
export function requireRootOwned(path: string): void {
  const existing = deepestExisting(path)
  let current = realpathSync(existing)
  for (let leaf = current === path; ; leaf = false) {
    const stat = lstatSync(current)
    if (stat.uid !== 0)
      throw new SystemError(
        `Refused ${path}: ${current} belongs to user ${stat.uid}, who could replace what the kernel runs as root; chown root ${current}`,
      )
    const sticky = stat.isDirectory() && (stat.mode & 0o1000) !== 0
    if ((stat.mode & 0o022) !== 0 && !(sticky && !leaf))
      throw new SystemError(
        `Refused ${path}: others than root may write ${current} (mode ${(stat.mode & 0o7777).toString(8)}); chmod go-w ${current}`,
      )
    if (current === '/') return
    current = dirname(current)
  }
}

function deepestExisting(path: string): string {
  let current = path
  while (lstatSync(current, { throwIfNoEntry: false }) === undefined) current = dirname(current)
  return current
}

export function ensureDirectory(path: string, mode: number, group?: string): void {
  mkdirSync(path, { recursive: true, mode: 0o755 })
  if (!lstatSync(path).isDirectory()) throw new SystemError(`${path} is not a directory`)
  setDirectoryRights(path, mode, group === undefined ? undefined : groupId(group))
}

/** Number of a group of the system's. */
export function groupId(name: string): number {
  try {
    return Number(execFileSync('getent', ['group', name], { encoding: 'utf8' }).split(':')[2])
  } catch (error) {
    throw new SystemError(`there is no group ${name}`, { cause: error })
  }
}

/** Beside the target, synced, then renamed over it: a crash of the machine leaves the old or the new. */
export function writeFileWhole(path: string, text: string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  const temporary = `${path}.new`
  rmSync(temporary, { force: true })
  const fd = openSync(temporary, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, mode)
  try {
    writeFileSync(fd, text)
    fchmodSync(fd, mode)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(temporary, path)
  syncDirectory(dirname(path))
}

/** Builds the tree beside its place and renames it there. */
export function copyTree(path: string, entries: readonly TreeEntry[]): void {
  const temporary = `${path}.new`
  rmSync(temporary, { recursive: true, force: true })
  for (const entry of entries) {
    const to = join(temporary, entry.to)
    mkdirSync(dirname(to), { recursive: true, mode: 0o755 })
    if (entry.from === undefined) writeFileWhole(to, entry.text ?? '', entry.mode)
    else {
      copyFileSync(entry.from, to, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE)
      const fd = openSync(to, constants.O_RDONLY | constants.O_NOFOLLOW)
      fchmodSync(fd, entry.mode)
      fsyncSync(fd)
      closeSync(fd)
    }
  }
  chmodSync(temporary, 0o755)
  renameSync(temporary, path)
  syncDirectory(dirname(path))
}

export function removeTree(path: string, recursive: boolean): void {
  if (recursive) rmSync(path, { recursive: true, force: true })
  else if (lstatSync(path).isDirectory()) rmdirSync(path)
  else unlinkSync(path)
}
