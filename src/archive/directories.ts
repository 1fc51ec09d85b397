/**
 * Directories of the archive: made with rights that the umask does not change, never through a link, and never within a
 * directory that somebody else could rename things in (CVE-2015-1869, CVE-2015-3315).
 */
import { fchmodSync, fchownSync, lstatSync, mkdirSync, renameSync, rmdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Access, giveToOwner } from '../base/atomic-file.ts'
import { ownerOfFiles } from '../base/capabilities.ts'
import { makePath, withDirectory } from '../base/directory.ts'
import { ArchiveError } from '../base/errors.ts'

/** Makes `path` and what is missing above it down from `root`; what exists keeps its rights. */
export function makeDirectories(root: string, path: string, access: Access): void {
  const missing: string[] = []
  for (let at = path; ; at = dirname(at)) {
    // The root may be a link of the administrator's; below it there are none.
    const isAbove = at === root || root.startsWith(`${at}/`)
    const kind = kindOf(at, isAbove)
    if (kind === 'directory' && isAbove) break
    if (kind === 'other') throw new ArchiveError(`${at} is not a directory`)
    if (kind === 'none') missing.push(at)
    if (at === root || at === dirname(at)) break
  }
  requireOurs(root, path)
  // The archive's parent is the administrator's: its rights are not ours to choose.
  if (missing.includes(root)) makePath(dirname(root), 0o777)
  const workshop = join(root, 'tmp')
  for (const directory of missing.reverse()) {
    if (directory === root || directory === workshop || ownerOfFiles() === undefined)
      makeDirectory(directory, access)
    else moveDirectory(workshop, directory, access)
  }
}

/**
 * Makes a directory for somebody else: it appears with its owner and rights, since the daemon, root without root's powers,
 * could not look into one that is another's for a moment.
 */
function moveDirectory(workshop: string, path: string, access: Access): void {
  makeDirectory(workshop, access)
  const made = join(workshop, `directory-${process.pid}-${Math.random().toString(36).slice(2, 10)}`)
  makeDirectory(made, access)
  try {
    // Takes the place of an empty one.
    renameSync(made, path)
  } catch (error) {
    rmdirSync(made)
    const { code } = error as NodeJS.ErrnoException
    if ((code === 'EEXIST' || code === 'ENOTEMPTY') && kindOf(path) === 'directory') return
    throw error
  }
}

export function makeDirectory(path: string, access: Access): void {
  try {
    mkdirSync(path, { mode: access.mode & 0o700 })
  } catch (error) {
    // Another handler made it in the meantime.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST' && kindOf(path) === 'directory') return
    throw error
  }
  giveDirectory(path, access)
}

/** A group that can't be set (root_squash) leaves the directory to its owner. */
export function giveDirectory(path: string, { mode, gid }: Access): void {
  withDirectory(path, fd => {
    if (gid !== undefined) {
      try {
        fchownSync(fd, -1, gid)
      } catch {
        return
      }
    }
    fchmodSync(fd, mode)
    giveToOwner(fd, gid)
  })
}

/**
 * Root, and who stores for it, does so only where root alone, or whoever the archive's root belongs to (an NFS server may make root somebody
 * else), can move things about. Throws ArchiveError.
 */
function requireOurs(root: string, path: string): void {
  if (process.geteuid?.() !== 0 && ownerOfFiles() === undefined) return
  const top = statSync(root, { throwIfNoEntry: false })
  if (top === undefined) return
  if ((top.mode & 0o002) !== 0) throw new ArchiveError(`everybody may write ${root}; chmod o-w cures that`)
  for (let at = path; at !== root && at !== dirname(at); at = dirname(at)) {
    const stat = lstatSync(at, { throwIfNoEntry: false })
    if (stat === undefined) continue
    if (stat.uid !== 0 && stat.uid !== top.uid)
      throw new ArchiveError(`${at} belongs to user ${stat.uid}, who could replace what is stored there`)
    if ((stat.mode & 0o002) !== 0) throw new ArchiveError(`everybody may write ${at}; chmod o-w cures that`)
  }
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
