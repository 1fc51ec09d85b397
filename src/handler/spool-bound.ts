/**
 * How much the spool may hold: it lies on this machine's own disk, which is there for other things, too. Beyond `SpoolMax`
 * crashes leave small records, until these take an eighth as much again.
 */
import { type Dirent, readdirSync, statfsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { SystemError } from '../base/errors.ts'
import { keepFreeBytes } from '../config/index.ts'

/** Notes, stacks and goroutines of a Go program of ordinary size. */
const smallRecord = 4 << 20

/** Files and directories that a crash waits for to be looked at: a second's work, which StorageDeadline bounds. */
const mostEntries = 50_000

/**
 * Bytes that the spool at `root` may still grow by; `most` in bytes, below 1 a share of its file system, null for no bound.
 * Throws where not even a small record is to be had. One of very many dumps is taken to hold all that its file system does.
 */
export function spoolRoom(root: string, most: number | null, limit: number = mostEntries): number {
  if (most === null) return Number.POSITIVE_INFINITY
  const { size, free } = fileSystemNear(root)
  const bound = keepFreeBytes(most, size)
  const used = sizeOf(root, { left: limit })
  if (used === undefined) {
    const left = bound - (size - free)
    if (left >= smallRecord) return left
    if (free >= bound / 8) return smallRecord
    throw new SystemError(
      `the spool holds very many dumps, ${free} bytes of its disk are free, SpoolMax is ${bound}`,
    )
  }
  if (used + smallRecord <= bound) return bound - used
  if (used < bound + bound / 8) return smallRecord
  throw new SystemError(`the spool holds ${used} bytes, SpoolMax is ${bound}`)
}

/** That where `path` would be. */
function fileSystemNear(path: string): { size: number; free: number } {
  try {
    const { blocks, bfree, bsize } = statfsSync(path)
    return { size: blocks * bsize, free: bfree * bsize }
  } catch {
    return dirname(path) === path ? { size: 0, free: 0 } : fileSystemNear(dirname(path))
  }
}

/** Undefined where there is more in it than may be looked at. */
function sizeOf(directory: string, looks: { left: number }): number | undefined {
  let size = 0
  for (const entry of entriesOf(directory)) {
    if (looks.left-- === 0) return undefined
    const path = join(directory, entry.name)
    const below = entry.isDirectory() ? sizeOf(path, looks) : entry.isFile() ? sizeOfFile(path) : 0
    if (below === undefined) return undefined
    size += below
  }
  return size
}

function sizeOfFile(path: string): number {
  try {
    return statSync(path).size
  } catch {
    // The daemon has brought it home.
    return 0
  }
}

function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
  } catch {
    return []
  }
}
