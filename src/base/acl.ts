/**
 * One more reader of a file or directory by a POSIX access control list (acl(5)): its owner stays who it is, so that the
 * reader can neither change nor give on what it may read. Node has no call for it (see `system-calls.ts`); without,
 * or on a file system without such lists, nobody is let in.
 */
import { openSystemCalls, type SystemCalls } from './system-calls.ts'

/** linux/posix_acl_xattr.h and linux/posix_acl.h. */
const attribute = 'system.posix_acl_access'
const aclVersion = 2
const tags = { owner: 0x01, user: 0x02, group: 0x04, mask: 0x10, other: 0x20 } as const
const nobody = 0xffff_ffff
const read = 4
/** So many fit wherever there are such lists; one more reader than that is not let in. */
const mostReaders = 64

/** The list that says what `mode` says, and gives each of these users `rights`. */
export function accessList(mode: number, uids: readonly number[], rights: number): Buffer {
  const group = (mode >> 3) & 7
  const entries = [
    [tags.owner, (mode >> 6) & 7, nobody],
    ...uids.map(uid => [tags.user, rights, uid] as const),
    [tags.group, group, nobody],
    [tags.mask, group | rights, nobody],
    [tags.other, mode & 7, nobody],
  ] as const
  const list = Buffer.alloc(4 + 8 * entries.length)
  list.writeUInt32LE(aclVersion, 0)
  for (const [i, [tag, permissions, id]] of entries.entries()) {
    list.writeUInt16LE(tag, 4 + 8 * i)
    list.writeUInt16LE(permissions, 6 + 8 * i)
    list.writeUInt32LE(id, 8 + 8 * i)
  }
  return list
}

/** The users whom the file's list lets read: one that names somebody to keep them out, as a directory's default may, goes on doing so. */
function readersOf(calls: SystemCalls, fd: number, name: Buffer): number[] {
  const list = Buffer.alloc(4 + 8 * (mostReaders + 5))
  const length = calls.call('fgetxattr', fd, name, list, list.length)
  const uids: number[] = []
  for (let at = 4; at + 8 <= length; at += 8)
    if (list.readUInt16LE(at) === tags.user && (list.readUInt16LE(at + 2) & read) !== 0)
      uids.push(list.readUInt32LE(at + 4))
  return uids
}

/** Lets one more user in with `rights` (4 reads, 5 reads and enters), who were let in before as well; false where that can't be had. */
export function addReader(fd: number, mode: number, uid: number, rights = read): boolean {
  const calls = openSystemCalls()
  if (calls === undefined) return false
  const name = Buffer.from(`${attribute}\0`)
  return whileLocked(calls, fd, () => {
    const uids = [...new Set([...readersOf(calls, fd, name), uid])].sort((a, b) => a - b)
    if (uids.length > mostReaders) return false
    const list = accessList(mode, uids, rights)
    return calls.call('fsetxattr', fd, name, list, list.length, 0) === 0
  })
}

/** asm-generic/fcntl.h. */
const lock = { shared: 1, exclusive: 2, now: 4, release: 8 } as const
const turnMs = 10
/** In all, over the life of this process. */
let turnsLeft = 50

/**
 * Two who add a reader at the same time would undo each other's. Whoever may read the file can hold its lock for ever, and
 * some file systems have none, so it is waited for a little, and then done without.
 */
function whileLocked<T>(calls: SystemCalls, fd: number, work: () => T): T {
  const take = (kind: number): boolean => calls.call('flock', fd, kind | lock.now) === 0
  // Where a shared one is to be had, nobody is adding a reader.
  for (; !take(lock.exclusive) && !take(lock.shared) && turnsLeft > 0; turnsLeft--) pause(turnMs)
  try {
    return work()
  } finally {
    calls.call('flock', fd, lock.release)
  }
}

const pause = (ms: number): unknown => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
