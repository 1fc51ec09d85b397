/**
 * One more reader of a file or directory by a POSIX access control list (acl(5)): its owner stays who it is, so that the
 * reader can neither change nor give on what it may read. Node has no call for it; `node:ffi` (Node 26) reaches the C
 * library's, and without that, or on a file system without such lists, nobody is let in.
 */

/** linux/posix_acl_xattr.h and linux/posix_acl.h. */
const attribute = 'system.posix_acl_access'
const aclVersion = 2
const tags = { owner: 0x01, user: 0x02, group: 0x04, mask: 0x10, other: 0x20 } as const
const nobody = 0xffff_ffff

type SetAttribute = (fd: number, name: string, value: Uint8Array, size: bigint, flags: number) => number

interface Ffi {
  dlopen(library: string | null, functions: object): { functions: { fsetxattr: SetAttribute } }
}

let loaded: SetAttribute | undefined | 'untried' = 'untried'

function setAttribute(): SetAttribute | undefined {
  if (loaded !== 'untried') return loaded
  loaded = undefined
  try {
    const ffi = process.getBuiltinModule('node:ffi' as never) as unknown as Ffi | undefined
    const signature = { arguments: ['int32', 'string', 'buffer', 'uint64', 'int32'], return: 'int32' }
    loaded = ffi?.dlopen(null, { fsetxattr: signature }).functions.fsetxattr
  } catch {
    // Switched off, or another libc.
  }
  return loaded
}

/** The list that says what `mode` says, and lets `uid` do what the mode lets the group do. */
export function accessList(mode: number, uid: number, rights: number): Buffer {
  const group = (mode >> 3) & 7
  const entries = [
    [tags.owner, (mode >> 6) & 7, nobody],
    [tags.user, rights, uid],
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

/** Lets one more user in with `rights` (4 reads, 5 reads and enters); false where that can't be had. */
export function addReader(fd: number, mode: number, uid: number, rights = 4): boolean {
  const list = accessList(mode, uid, rights)
  return setAttribute()?.(fd, attribute, list, BigInt(list.length), 0) === 0
}
