/**
 * Copies a file from one disk to another so that the first may be deleted: written, synced, and read back from the disk
 * itself where it can be (O_DIRECT), at a limited rate, a piece at a time, so that nobody else has to wait.
 */
import type { Hash } from 'node:crypto'
import { createHash } from 'node:crypto'
import { closeSync, constants, fsyncSync, openSync, readSync } from 'node:fs'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { writeAll } from '../base/atomic-file.ts'
import { ArchiveError } from '../base/errors.ts'
import { openForReading } from '../base/regular-file.ts'

export interface CopyOptions {
  signal?: AbortSignal | undefined
  /** Bytes a second; null for as fast as it goes. */
  rate?: number | null | undefined
  /** Resolves when the target can be expected to answer; asked after each piece. */
  answers?: (() => Promise<void>) | undefined
}

/** Bytes `[from, to)` of a file; `to` absent: its end. A file that ends early is filled up with zeros. */
export interface Piece {
  readonly path: string
  readonly from: number
  readonly to?: number
}

const chunkSize = 1 << 20
/** Storage is made to keep up, so that the last fsync does not take minutes in which nothing else happens here. */
const syncEvery = 64

/** Writes the pieces one behind the other into `target`, which is empty, and compares what storage then has of them. */
export async function copyPieces(
  pieces: readonly Piece[],
  target: { fd: number; path: string },
  options: CopyOptions = {},
): Promise<number> {
  const hash = createHash('sha256')
  const pace = new Pace(options)
  let size = 0
  for (const piece of pieces) size += await copyPiece(piece, target.fd, size, hash, pace)
  fsyncSync(target.fd)
  const digest = hash.digest('hex')
  if ((await digestOf(target.path, size, pace)) !== digest)
    throw new ArchiveError(`${target.path} reads back as something else than was written`)
  return size
}

async function copyPiece(
  { path, from, to }: Piece,
  fd: number,
  start: number,
  hash: Hash,
  pace: Pace,
): Promise<number> {
  const most = to === undefined ? Number.POSITIVE_INFINITY : to - from
  const source = most === 0 ? undefined : openIfThere(path, to !== undefined)
  const chunk = Buffer.allocUnsafe(chunkSize)
  let done = 0
  try {
    for (let n = 1; done < most; n++) {
      const want = Math.min(chunkSize, most - done)
      let got = source === undefined ? 0 : readSync(source, chunk, 0, want, from + done)
      if (got === 0) {
        if (to === undefined) break
        chunk.fill(0, 0, want)
        got = want
      }
      const bytes = chunk.subarray(0, got)
      hash.update(bytes)
      writeAll(fd, bytes, start + done)
      done += got
      if (n % syncEvery === 0) fsyncSync(fd)
      await pace.after(got)
    }
  } finally {
    if (source !== undefined) closeSync(source)
  }
  return done
}

function openIfThere(path: string, mayBeAbsent: boolean): number | undefined {
  try {
    return openForReading(path)
  } catch (error) {
    if (mayBeAbsent && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function digestOf(path: string, size: number, pace: Pace): Promise<string> {
  // Direct reads need memory at a page's boundary, which this is.
  const chunk = pages(chunkSize)
  const hash = createHash('sha256')
  const file = openUncached(path, chunk)
  try {
    for (let at = 0; at < size; ) {
      const got = readSync(file, chunk, 0, chunkSize, at)
      if (got === 0) break
      hash.update(chunk.subarray(0, got))
      at += got
      await pace.after(0)
    }
    return hash.digest('hex')
  } finally {
    closeSync(file)
  }
}

interface Wasm {
  Memory: new (size: { initial: number }) => { readonly buffer: ArrayBuffer }
}

/** Memory that begins at a page's boundary. */
function pages(bytes: number): Uint8Array {
  const { WebAssembly } = globalThis as unknown as { WebAssembly: Wasm }
  return new Uint8Array(new WebAssembly.Memory({ initial: Math.ceil(bytes / 65536) }).buffer)
}

/** From the disk, not from the memory that we have just written; file systems that know no such thing say EINVAL. */
function openUncached(path: string, chunk: Uint8Array): number {
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW
  let fd: number | undefined
  try {
    fd = openSync(path, flags | constants.O_DIRECT)
    readSync(fd, chunk, 0, chunk.length, 0)
    return fd
  } catch {
    if (fd !== undefined) closeSync(fd)
    return openSync(path, flags)
  }
}

/** Gives others their turn after each piece, and keeps to the rate. */
class Pace {
  readonly #options: CopyOptions
  readonly #began = performance.now()
  #bytes = 0

  constructor(options: CopyOptions) {
    this.#options = options
  }

  async after(bytes: number): Promise<void> {
    const { signal, rate, answers } = this.#options
    signal?.throwIfAborted()
    this.#bytes += bytes
    const ahead = rate ? (this.#bytes / rate) * 1000 - (performance.now() - this.#began) : 0
    if (ahead > 5) await setTimeout(ahead, undefined, signal ? { signal } : {})
    else await setImmediate()
    await answers?.()
  }
}
