/**
 * Reading a file whose place somebody may have put something else in: a link leads nowhere, a FIFO or a device keeps nobody
 * waiting (CVE-2021-25684), and what is too large is not read at all.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { SystemError } from './errors.ts'

/** Milliseconds between tries, eight seconds in all; the kernel takes a lease from who does not give it up after 45. */
const waits = [1, 5, 20, 100, 400, 1500, 3000, 3000]

/**
 * Opens for reading and waits for no other end of a FIFO or a device; whether it is one, fstat(2) tells. Only a lease on a file
 * is waited for, fcntl(2) F_SETLEASE: by it a server of NFS or SMB lends files to its clients, and such an open has asked for
 * it back. A link is followed only with `links`.
 */
export function openForReading(path: string, { links = false } = {}): number {
  const { O_RDONLY, O_NONBLOCK, O_NOCTTY, O_NOFOLLOW } = constants
  for (const ms of [...waits, undefined])
    try {
      return openSync(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | (links ? 0 : O_NOFOLLOW))
    } catch (error) {
      if (ms === undefined || (error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
    }
  throw new SystemError(`Cannot open ${path}`)
}

/** The text of a regular file. Throws the system's error, or a SystemError that says what it is instead. */
export function readRegularFile(path: string, most: number): string {
  const fd = openForReading(path)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw new SystemError('it is not a regular file')
    if (stat.size > most) throw new SystemError(`${stat.size} bytes are more than ${most}`)
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}
