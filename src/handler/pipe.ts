/**
 * The pipe from the kernel. It comes with 64 KiB, and a reader that keeps up gets a page or so at a time: 586 000 reads
 * for 3 GB. With a mebibyte and a reader that lets it fill, each read takes whole blocks.
 */
import { readSync } from 'node:fs'

const F_SETPIPE_SZ = 1031

interface Fcntl {
  functions: { fcntl(fd: number, command: number, argument: number): number }
}

interface Ffi {
  dlopen(library: string, functions: object): Fcntl
}

/**
 * Makes the pipe hold `size` bytes; answers what it holds now, or undefined where it can't be told. `node:ffi` is in
 * Node 26 and still experimental: without it the pipe stays as it is and all works, slower.
 */
export function enlargePipe(fd: number, size: number): number | undefined {
  try {
    const ffi = process.getBuiltinModule('node:ffi' as never) as unknown as Ffi | undefined
    if (ffi === undefined) return undefined
    const libc = ffi.dlopen('libc.so.6', {
      fcntl: { arguments: ['int32', 'int32', 'int32'], return: 'int32' },
    })
    const now = libc.functions.fcntl(fd, F_SETPIPE_SZ, size)
    return now > 0 ? now : undefined
  } catch {
    return undefined
  }
}

const sleeper = new Int32Array(new SharedArrayBuffer(4))

/** Bytes that have come before the pipe is made larger: for a small core the library costs more than it saves. */
const enlargeAfter = 256 * 1024

/** Reads from a pipe, and after a short read gives the writer a moment to fill it. */
export class PipeReader {
  readonly #fd: number
  readonly #size: number
  #low = 32 * 1024
  #enlarged = false
  #short = false
  received = 0

  /** `size` is what the pipe should hold, and what a read asks for. */
  constructor(fd: number, size: number) {
    this.#fd = fd
    this.#size = size
  }

  /** At least one byte into `buffer` from `at`, or 0 at the end. */
  read(buffer: Buffer, at: number): number {
    if (!this.#enlarged && this.received >= enlargeAfter) {
      this.#enlarged = true
      if (enlargePipe(this.#fd, this.#size) !== undefined) this.#low = this.#size / 8
    }
    if (this.#short) Atomics.wait(sleeper, 0, 0, 0.05)
    const got = this.#once(buffer, at)
    this.#short = got < Math.min(this.#low, buffer.length - at)
    this.received += got
    return got
  }

  #once(buffer: Buffer, at: number): number {
    for (;;) {
      try {
        return readSync(this.#fd, buffer, at, buffer.length - at, null)
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException
        if (code === 'EOF') return 0
        if (code !== 'EINTR' && code !== 'EAGAIN') throw error
        if (code === 'EAGAIN') Atomics.wait(sleeper, 0, 0, 1)
      }
    }
  }
}
