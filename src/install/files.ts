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
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { syncDirectory } from '../base/atomic-file.ts'
import { makePath, setDirectoryRights } from '../base/directory.ts'
import { SystemError } from '../base/errors.ts'
import { whoElseMayWrite } from '../base/root-owned.ts'
import type { TreeEntry } from './step.ts'

/**
 * Refuses a path that someone other than root could replace: whoever can write the handler, or rename a directory
 * above it, runs code as root at the next crash.
 */
export function requireRootOwned(path: string): void {
  const other = whoElseMayWrite(path)
  if (other !== undefined)
    throw new SystemError(
      `Refused ${path}: ${other.why}, and what the kernel runs as root could be replaced; ${other.cure}`,
    )
}

export function ensureDirectory(path: string, mode: number, group?: string): void {
  makePath(path, 0o755)
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
  makePath(dirname(path), 0o755)
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
    makePath(dirname(to), 0o755)
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

/**
 * Removes a file, or a directory that is empty or, `recursive`, with what is in it. One that is in use, as that is which a
 * file system is mounted on, is emptied and stays with those above it: then the answer is false.
 */
export function removeTree(path: string, recursive: boolean): boolean {
  try {
    if (!lstatSync(path).isDirectory()) unlinkSync(path)
    else {
      const names = recursive ? readdirSync(path) : []
      if (names.map(name => removeTree(join(path, name), true)).includes(false)) return false
      rmdirSync(path)
    }
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // Another machine that shares the archive may be quicker.
    if (code === 'ENOENT') return true
    if (code === 'EBUSY') return false
    throw error
  }
}
