/**
 * Standard output for pipelines: text is gathered into large writes that block, so that memory stays bounded however
 * much is printed, and a reader that went away (`| head`) ends the program quietly.
 */
import { writeSync } from 'node:fs'
import { reasonOf, SystemError } from '../../base/errors.ts'
import { printable } from './escape.ts'

/** Nobody reads on: not an error of ours. `main.ts` ends quietly with it. */
export class ReaderGone extends Error {
  constructor() {
    super('the reader of standard output is gone')
    this.name = 'ReaderGone'
  }
}

/** Standard output takes no more: there is nothing to go on for. */
export class OutputLost extends SystemError {}

const chunk = 64 * 1024
const wait = new Int32Array(new SharedArrayBuffer(4))

/** Writes all bytes to a descriptor; waits where it is non-blocking and full (a pipe that someone else set so). */
export function writeAll(fd: number, bytes: Uint8Array): void {
  let done = 0
  while (done < bytes.length) {
    try {
      done += writeSync(fd, bytes, done, bytes.length - done)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EAGAIN') Atomics.wait(wait, 0, 0, 5)
      else if (code === 'EPIPE') throw new ReaderGone()
      else if (fd === 1)
        throw new OutputLost(`Could not write to standard output: ${reasonOf(error)}`, { cause: error })
      else throw error
    }
  }
}

/** Prints lines to a descriptor, each with a line break, in large writes. */
export function writeLines(fd: number, lines: Iterable<string>): void {
  let text = ''
  for (const line of lines) {
    text += `${line}\n`
    if (text.length >= chunk) {
      writeAll(fd, Buffer.from(text))
      text = ''
    }
  }
  if (text !== '') writeAll(fd, Buffer.from(text))
}

/** A reporter for work that tells what it does line by line. */
export const sayTo =
  (fd: 1 | 2) =>
  (line: string): void =>
    writeLines(fd, line.split('\n').map(printable))
