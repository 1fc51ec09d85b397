/** Changes to a directory through a descriptor: what has come to lie at its path meanwhile is not changed, nor what a link names. */
import { closeSync, constants, fchmodSync, fchownSync, openSync } from 'node:fs'

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
