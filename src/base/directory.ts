/** Directories: made with what is missing above them, and changed through a descriptor. */
import { closeSync, constants, fchmodSync, fchownSync, mkdirSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/** What has come to lie at the path meanwhile is not changed, nor what a link names. */
export function withDirectory(path: string, change: (fd: number) => void): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    change(fd)
  } finally {
    closeSync(fd)
  }
}

/** Throws where one of them can't be set; `gid` undefined leaves the group. */
export function setDirectoryRights(path: string, mode: number, gid: number | undefined): void {
  withDirectory(path, fd => {
    if (gid !== undefined) fchownSync(fd, -1, gid)
    fchmodSync(fd, mode)
  })
}

/**
 * Makes a directory and what is missing above it; what exists keeps its rights. Not Node's own `recursive`, which on a file
 * system that makes no directories (/proc) tries for ever.
 */
export function makePath(path: string, mode: number): void {
  if (isDirectory(path)) return
  if (dirname(path) !== path) makePath(dirname(path), mode)
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    // Somebody else made it in the meantime.
    if (!isDirectory(path)) throw error
  }
}

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
