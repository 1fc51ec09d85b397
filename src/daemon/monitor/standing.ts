/** The state of the moment: what waits in the spool, whether the archive is there, and what room it has. Storage that hangs is not waited for. */
import { lstat, readdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { isGone } from '../../archive/known.ts'

/** A walk that an absurd spool can't make endless. */
const mostFiles = 20_000

export interface SpoolStanding {
  readonly bytes: number
  /** When the oldest file was written, milliseconds of the clock; undefined where there is none. */
  readonly oldest: number | undefined
}

/** Of all files; undefined where they can't be read. An absent spool is empty. */
export async function spoolStanding(root: string): Promise<SpoolStanding | undefined> {
  let bytes = 0
  let oldest: number | undefined
  let count = 0
  try {
    for (const entry of await readdir(join(root, 'dumps'), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      if (++count > mostFiles) break
      // It may have been shipped meanwhile.
      const stat = await lstat(join(entry.parentPath, entry.name)).catch(() => undefined)
      if (stat === undefined) continue
      bytes += stat.size
      oldest = Math.min(oldest ?? stat.mtimeMs, stat.mtimeMs)
    }
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? { bytes: 0, oldest: undefined } : undefined
  }
  return { bytes, oldest }
}

export interface Room {
  readonly free: number
  readonly size: number
}

/** The room of the archive's file system; `gone` where the archive is not there: not mounted, most likely. */
export async function archiveStanding(config: { state: string; archive: string }): Promise<Room | 'gone'> {
  // NFS and FUSE have no cache for it: the server answers, or nobody does.
  const { bavail, blocks, bsize } = await statfs(config.archive)
  if (await isGone(config.state, config.archive)) return 'gone'
  return { free: bavail * bsize, size: blocks * bsize }
}

/** A question that a thread of the pool asks, which hangs in the daemon's stead. One is open at a time. */
export class Question<T> {
  readonly #ask: () => Promise<T>
  #since: number | undefined
  #answer: T | undefined

  constructor(ask: () => Promise<T>) {
    this.#ask = ask
  }

  /** What was answered last; undefined before the first answer, and after an error. */
  get answer(): T | undefined {
    return this.#answer
  }

  /** How long the last question has been open, milliseconds; 0 where it was answered. */
  get openMs(): number {
    return this.#since === undefined ? 0 : performance.now() - this.#since
  }

  /** Asks, unless a question is open. */
  look(): void {
    if (this.#since !== undefined) return
    this.#since = performance.now()
    void this.#ask()
      .catch(() => undefined)
      .then(answer => {
        this.#answer = answer
        this.#since = undefined
      })
  }
}
