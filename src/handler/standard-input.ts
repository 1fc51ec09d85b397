/**
 * Descriptor 0 must not become free while threads come and go: libuv in a thread would get the number for a descriptor
 * of its own, and at its end aborts the whole process over it (`uv__close: Assertion fd > STDERR_FILENO failed`). So the
 * pipe moves up, and /dev/null takes its place, before there is any thread.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'

const standardInput = 0

/** The pipe from the kernel under another number. What is no pipe, as in a replay, keeps the number it has. */
export function takeStandardInput(): number {
  if (!fstatSync(standardInput).isFIFO()) return standardInput
  let fd: number
  try {
    // Another reader of the same pipe; it counts as one for the kernel, which waits until the last is closed.
    fd = openSync('/proc/self/fd/0', constants.O_RDONLY)
  } catch {
    return standardInput
  }
  closeSync(standardInput)
  openSync('/dev/null', constants.O_RDONLY)
  return fd
}

/** Closes what `takeStandardInput` gave; number 0 stays taken. */
export function closeStandardInput(fd: number): void {
  closeSync(fd)
  if (fd === standardInput) openSync('/dev/null', constants.O_RDONLY)
}
