/**
 * Reads a source file that a dump has named. The name is the choice of whoever wrote the crashed program, so what is
 * opened is bounded: a regular file (no device, no FIFO that would block), not by a symbolic link as its last step, of
 * reasonable size, and of text.
 */
import { closeSync, fstatSync, readSync } from 'node:fs'
import { openForReading } from '../../base/regular-file.ts'

export interface SourceText {
  readonly path: string
  readonly lines: readonly string[]
  /** Milliseconds since the epoch; undefined where it comes from a commit. */
  readonly modifiedAt?: number
}

export const largestSource: number = 4 * 1024 * 1024

/** Undefined where it is not there, or not such a file. */
export function readSource(path: string): SourceText | undefined {
  let fd: number
  try {
    fd = openForReading(path)
  } catch {
    return undefined
  }
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile() || stat.size === 0 || stat.size > largestSource) return undefined
    const bytes = Buffer.alloc(stat.size)
    const text = bytes.subarray(0, readSync(fd, bytes, 0, stat.size, 0))
    return isText(text) ? { path, lines: linesOf(text), modifiedAt: stat.mtimeMs } : undefined
  } catch {
    return undefined
  } finally {
    closeSync(fd)
  }
}

export const isText = (bytes: Uint8Array): boolean => !bytes.includes(0)
/** Without the empty one behind the last line break. */
export const linesOf = (bytes: Buffer): string[] => bytes.toString('utf8').replace(/\n$/, '').split('\n')
