/** Opening what a program was made of, by a way through /proc. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

export interface OpenedElf {
  readonly fd: number
  readonly size: number
  /** Device and inode. */
  readonly identity: string
}

const mostBytes = 4 * 2 ** 30

/** A regular file that begins as ELF does; undefined where it is another. */
export function openElf(path: string): OpenedElf | undefined {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  const stat = fstatSync(fd)
  const { dev, ino, size } = stat
  const magic = Buffer.alloc(4)
  if (
    stat.isFile() &&
    size <= mostBytes &&
    readSync(fd, magic, 0, 4, 0) === 4 &&
    magic.readUInt32BE(0) === 0x7f454c46
  )
    return { fd, size, identity: `${dev}/${ino}` }
  closeSync(fd)
  return undefined
}
