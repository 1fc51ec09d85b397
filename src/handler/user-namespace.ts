/** Whose powers a process had: capabilities count in its user namespace alone, and whoever made that has them all there. */
import { closeSync, constants, openSync, readlinkSync } from 'node:fs'
import { openSystemCalls } from '../base/system-calls.ts'

/** _IO(0xb7, 4), linux/nsfs.h. */
const NS_GET_OWNER_UID = 0xb704
const unknown = 0xffff_ffff

/**
 * The owner of the user namespace of the process whose /proc/PID this is; undefined for the one that this process is in, or
 * where there are no such namespaces. Who can't be told is 4294967295, which is nobody's number.
 */
export function userNamespaceOwner(directory: string): number | undefined {
  try {
    if (readlinkSync(`${directory}/ns/user`) === readlinkSync('/proc/self/ns/user')) return undefined
    const fd = openSync(`${directory}/ns/user`, constants.O_RDONLY)
    try {
      const owner = Buffer.alloc(4)
      return openSystemCalls()?.call('ioctl', fd, NS_GET_OWNER_UID, owner) === 0
        ? owner.readUInt32LE(0)
        : unknown
    } finally {
      closeSync(fd)
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : unknown
  }
}
