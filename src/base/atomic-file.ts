/**
 * Files that appear whole or not at all: a temporary name in the same directory, fsync, rename, fsync of the directory.
 * On NFS a full disk or an exceeded quota may show only at fsync, so its error is never passed over.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { addReader } from './acl.ts'
import { ownerOfFiles } from './capabilities.ts'

export interface Access {
  readonly mode: number
  /** Group that the file is given to; undefined leaves it. */
  readonly gid?: number | undefined
  /** A user who may read it besides; undefined for none. */
  readonly reader?: number | undefined
}

/** Creates a file that must not exist, with rights that the umask does not change. Links are not followed. */
export function createFile(path: string, access: Access): number {
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW
  const fd = openSync(path, flags, access.mode & 0o600)
  try {
    giveAccess(fd, access)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return fd
}

/** Group first, then mode: a group that can't be set (root_squash) leaves the file to its owner and its one reader. */
export function giveAccess(fd: number, { mode, gid, reader }: Access): void {
  let given = mode
  if (gid !== undefined) {
    try {
      fchownSync(fd, -1, gid)
    } catch {
      given = mode & 0o700
    }
  }
  fchmodSync(fd, given)
  if (reader !== undefined) addReader(fd, given, reader)
  giveToOwner(fd, gid)
}

/** Last of all: what is given away is not ours to change. Storage that allows nobody to give files away keeps them ours. */
export function giveToOwner(fd: number, gid: number | undefined): void {
  const uid = ownerOfFiles()
  if (uid === undefined) return
  try {
    fchownSync(fd, uid, gid === undefined ? uid : -1)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error
  }
}

export function writeAll(fd: number, bytes: Uint8Array, position: number | null = null): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(fd, bytes, done, bytes.length - done, position === null ? null : position + done)
}

/** Makes a rename in `directory` last. File systems that know no such thing (some FUSE, 9p, SMB) say EINVAL or ENOTSUP. */
export function syncDirectory(directory: string): void {
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    fsyncSync(fd)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EINVAL' && code !== 'ENOTSUP' && code !== 'EBADF' && code !== 'EROFS') throw error
  } finally {
    closeSync(fd)
  }
}

/** Replaces `path` by `data`. After an error the old file is as it was and no temporary one is left. */
export function writeFileAtomic(path: string, data: string | Uint8Array, access: Access): void {
  const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2, 10)}.tmp`
  const fd = createFile(temporary, access)
  try {
    try {
      writeAll(fd, typeof data === 'string' ? Buffer.from(data) : data)
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
    renameSync(temporary, path)
  } catch (error) {
    try {
      unlinkSync(temporary)
    } catch {
      // The first error is the one to tell.
    }
    throw error
  }
  syncDirectory(dirname(path))
}
