/**
 * Reading a file whose place somebody may have put something else in: a link leads nowhere, a FIFO or a device keeps nobody
 * waiting (CVE-2021-25684), and what is too large is not read at all.
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { SystemError } from './errors.ts'

/** The text of a regular file. Throws the system's error, or a SystemError that says what it is instead. */
export function readRegularFile(path: string, most: number): string {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw new SystemError('it is not a regular file')
    if (stat.size > most) throw new SystemError(`${stat.size} bytes are more than ${most}`)
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}
