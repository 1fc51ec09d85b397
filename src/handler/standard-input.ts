/**
 * Descriptor 0 must not become free while threads come and go: libuv in a thread would get the number for a descriptor
 * of its own, and at its end aborts the whole process over it (`uv__close: Assertion fd > STDERR_FILENO failed`). So the
 * pipe moves up, and /dev/null takes its place, before there is any thread.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { openLibc } from './libc.ts'

const standardInput = 0

/** The pipe from the kernel, or in a replay the file or socket, under another number; its own where there is none to be had. */
export function takeStandardInput(): number {
  const fd = fstatSync(standardInput).isFIFO() ? openAgain() : (openLibc()?.duplicate(standardInput) ?? -1)
  if (fd < 0) return standardInput
  closeSync(standardInput)
  openSync('/dev/null', constants.O_RDONLY)
  return fd
}

/** Another reader of the same pipe; it counts as one for the kernel, which waits until the last is closed. */
function openAgain(): number {
  try {
    return openSync('/proc/self/fd/0', constants.O_RDONLY)
  } catch {
    return -1
  }
}

/** Closes what `takeStandardInput` gave; number 0 stays taken. */
export function closeStandardInput(fd: number): void {
  closeSync(fd)
  if (fd === standardInput) openSync('/dev/null', constants.O_RDONLY)
}
