/** A file as a ByteSource: pages of it are kept, the longest unused ones go first. */
import { closeSync, fstatSync, readSync } from 'node:fs'
import { reasonOf, SystemError } from '../base/errors.ts'
import { openForReading } from '../base/regular-file.ts'
import type { ByteSource } from '../engine/bytes/byte-source.ts'

const pageSize = 64 * 1024

export class FileSource implements ByteSource {
  readonly name: string
  readonly size: number
  readonly #fd: number
  readonly #keep: number
  readonly #pages = new Map<number, Buffer>()

  /** Takes over `fd`. */
  constructor(name: string, fd: number, size: number, cache = 16 << 20) {
    this.name = name
    this.size = size
    this.#fd = fd
    this.#keep = Math.max(2, Math.floor(cache / pageSize))
  }

  read(offset: number, length: number): Uint8Array {
    const end = Math.min(this.size, offset + length)
    if (!(offset >= 0 && offset < end)) return new Uint8Array(0)
    const page = Math.floor(offset / pageSize)
    const start = page * pageSize
    if (end <= start + pageSize) return this.#page(page).subarray(offset - start, end - start)
    // Long reads go past the cache, so that a walk through the file leaves the pages that are used again.
    const bytes = Buffer.allocUnsafe(end - offset)
    return bytes.subarray(0, this.#fill(bytes, offset))
  }

  [Symbol.dispose](): void {
    this.#pages.clear()
    closeSync(this.#fd)
  }

  #page(page: number): Buffer {
    const kept = this.#pages.get(page)
    if (kept !== undefined) {
      this.#pages.delete(page)
      this.#pages.set(page, kept)
      return kept
    }
    if (this.#pages.size >= this.#keep) this.#pages.delete(this.#pages.keys().next().value!)
    const bytes = Buffer.allocUnsafeSlow(Math.min(pageSize, this.size - page * pageSize))
    const filled = bytes.subarray(0, this.#fill(bytes, page * pageSize))
    this.#pages.set(page, filled)
    return filled
  }

  /** Fewer bytes than asked for only where the file has become shorter. */
  #fill(bytes: Buffer, offset: number): number {
    let done = 0
    try {
      while (done < bytes.length) {
        const got = readSync(this.#fd, bytes, done, bytes.length - done, offset + done)
        if (got === 0) break
        done += got
      }
    } catch (error) {
      throw new SystemError(`Cannot read ${this.name} at byte ${offset + done}: ${reasonOf(error)}`, {
        cause: error,
      })
    }
    return done
  }
}

/** Opens a regular file; anything else is refused, since a FIFO or a device would hang the reader. A link only with `links`. */
export function openRegular(path: string, { links = true } = {}): { fd: number; size: number } {
  let fd: number
  try {
    fd = openForReading(path, { links })
  } catch (error) {
    throw new SystemError(`Cannot open ${path}: ${reasonOf(error)}`, { cause: error })
  }
  const stat = fstatSync(fd)
  if (!stat.isFile()) {
    closeSync(fd)
    throw new SystemError(`Cannot open ${path}: it is not a regular file`)
  }
  return { fd, size: stat.size }
}
