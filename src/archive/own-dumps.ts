/**
 * `users/UID/YYYY-MM-DD-ID`: which dumps are a user's own, as empty files in a directory that this user may list. The
 * directories of all dumps can be passed through and not listed, so it is here that `ls` finds one's own; the names tell
 * nothing of anyone else's. What may be read is decided by each file's own list, not by what stands here.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  openSync,
  readdirSync,
  unlinkSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { addReader } from '../base/acl.ts'
import { createFile } from '../base/atomic-file.ts'
import { reasonOf } from '../base/errors.ts'
import type { Rights } from './access.ts'
import { makeDirectories } from './directories.ts'
import { formatFile, type Layout } from './layout.ts'
import type { DumpRef } from './store.ts'

const markPattern = /^([0-9]{4})-([0-9]{2})-([0-9]{2})-([a-z2-7]{12})$/
const directoryOf = (layout: Layout, uid: number): string => join(layout.users, String(uid))
const nameOf = ({ id, day }: DumpRef): string => `${day.replaceAll('/', '-')}-${id}`

/**
 * Lists the dump among those of `rights.reader`, and lets that user pass through to it; before it has a manifest, since a mark
 * without a dump lists nothing, and its failure must not be the dump's. Answers a note where it could not.
 */
export function markOwn(layout: Layout, ref: DumpRef, rights: Rights): string[] {
  try {
    if (rights.reader !== undefined) mark(layout, ref, rights, rights.reader)
    return []
  } catch (error) {
    return [`Could not list it among the dumps of user ${rights.reader}: ${reasonOf(error)}`]
  }
}

function mark(layout: Layout, ref: DumpRef, rights: Rights, reader: number): void {
  openWay(layout.root, layout.dump(ref))
  openToUsers(layout, rights)
  const directory = directoryOf(layout, reader)
  makeDirectories(layout.root, directory, { mode: 0o700 })
  const fd = openSync(directory, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    if (rights.gid !== undefined) fchownSync(fd, -1, rights.gid)
    const mode = rights.gid === undefined ? 0o700 : 0o750
    fchmodSync(fd, mode)
    addReader(fd, mode, reader, 5)
  } finally {
    closeSync(fd)
  }
  try {
    closeSync(createFile(join(directory, nameOf(ref)), { mode: 0o600 }))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  }
}

/** Lets users pass to their lists, those without one too: that they have no dump is an answer, that they may not look is none. */
export function openToUsers(layout: Layout, rights: Rights): void {
  openWay(layout.root, layout.root)
  openToAll(join(layout.root, formatFile), 0o044)
  makeDirectories(layout.root, layout.users, rights.directory)
  openWay(layout.root, layout.users)
}

/** Takes the dump from that user's list; what is not there is no error. */
export function unmarkOwn(layout: Layout, ref: DumpRef, uid: number): void {
  if (!Number.isInteger(uid)) return
  try {
    unlinkSync(join(directoryOf(layout, uid), nameOf(ref)))
  } catch {
    // A mark without a dump lists nothing.
  }
}

/** The dumps of one user, for this user. */
export function ownDumps(layout: Layout, uid: number): DumpRef[] {
  try {
    return readdirSync(directoryOf(layout, uid)).flatMap(name => {
      const match = markPattern.exec(name)
      return match === null ? [] : [{ id: match[4]!, day: `${match[1]}/${match[2]}/${match[3]}` }]
    })
  } catch {
    return []
  }
}

/** Lets users pass down to `path`: an archive that was made without UserAccess has directories that nobody passes. */
export function openWay(root: string, path: string): void {
  for (let at = path; at.startsWith(root); at = dirname(at)) {
    openToAll(at, 0o001, at === root ? 0 : constants.O_NOFOLLOW)
    if (at === root) return
  }
}

function openToAll(path: string, rights: number, flags = constants.O_NOFOLLOW): void {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | flags)
  try {
    const { mode } = fstatSync(fd)
    if ((mode & rights) !== rights) fchmodSync(fd, (mode & 0o7777) | rights)
  } finally {
    closeSync(fd)
  }
}
