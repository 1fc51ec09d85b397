/** The numbers of the moment: what waits in the spool, and what room the archive has. Storage that hangs is not waited for. */
import { lstatSync, readdirSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'

/** A walk that an absurd spool can't make endless. */
const mostFiles = 20_000

/** Bytes of all files, and the age of the oldest, seconds; undefined where there is no such directory, or it can't be read. */
export function spoolStanding(
  root: string,
  now = Date.now(),
): { bytes: number; oldest: number | undefined } | undefined {
  let bytes = 0
  let first: number | undefined
  try {
    let count = 0
    for (const entry of readdirSync(join(root, 'dumps'), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      if (++count > mostFiles) break
      const stat = lstatSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })
      if (stat === undefined) continue
      bytes += stat.size
      first = Math.min(first ?? stat.mtimeMs, stat.mtimeMs)
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? { bytes: 0, oldest: undefined } : undefined
  }
  return { bytes, oldest: first === undefined ? undefined : (now - first) / 1000 }
}

/** Asks in a thread of the pool, one question at a time, and tells the last answer. */
export class Room {
  readonly #path: string
  #asking = false
  #answer: { free: number; size: number } | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** What was answered last; undefined before the first answer, and after an error. */
  look(): { free: number; size: number } | undefined {
    if (!this.#asking) {
      this.#asking = true
      void statfs(this.#path)
        .then(({ bavail, blocks, bsize }) => ({ free: bavail * bsize, size: blocks * bsize }))
        .catch(() => undefined)
        .then(answer => {
          this.#answer = answer
          this.#asking = false
        })
    }
    return this.#answer
  }

  /** Whether the last question is still open. */
  get isAsking(): boolean {
    return this.#asking
  }
}
