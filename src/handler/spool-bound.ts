/**
 * How much the spool may hold: it lies on this machine's own disk, which is there for other things, too. Beyond `SpoolMax`
 * crashes leave small records, until these take an eighth as much again.
 */
import { readdirSync, statfsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { SystemError } from '../base/errors.ts'
import { keepFreeBytes } from '../config/index.ts'

/** Notes, stacks and goroutines of a Go program of ordinary size. */
const smallRecord = 4 << 20

/**
 * Bytes that the spool at `root` may still grow by; `most` in bytes, below 1 a share of its file system, null for no bound.
 * Throws where not even a small record is to be had.
 */
export function spoolRoom(root: string, most: number | null): number {
  if (most === null) return Number.POSITIVE_INFINITY
  const bound = keepFreeBytes(most, sizeNear(root))
  const used = sizeOf(root)
  if (used + smallRecord <= bound) return bound - used
  if (used < bound + bound / 8) return smallRecord
  throw new SystemError(`the spool holds ${used} bytes, SpoolMax is ${bound}`)
}

/** Of the file system where `path` would be. */
function sizeNear(path: string): number {
  try {
    const { blocks, bsize } = statfsSync(path)
    return blocks * bsize
  } catch {
    return dirname(path) === path ? 0 : sizeNear(dirname(path))
  }
}

function sizeOf(root: string): number {
  let size = 0
  for (const entry of entriesOf(root)) {
    if (!entry.isFile()) continue
    try {
      size += statSync(join(entry.parentPath, entry.name)).size
    } catch {
      // The daemon has brought it home.
    }
  }
  return size
}

function entriesOf(root: string): ReturnType<typeof list> {
  try {
    return list(root)
  } catch {
    return []
  }
}

const list = (root: string) => readdirSync(root, { recursive: true, withFileTypes: true })
