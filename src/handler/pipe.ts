/**
 * The pipe from the kernel. It comes with 64 KiB, and a reader that keeps up gets a page or so at a time: 586 000 reads
 * for 3 GB. Made larger, and read by one that lets it fill, each read takes whole blocks; and what the reader has no
 * time for goes to a spool of pages, so that the crashed process is not held for the compressor's sake.
 */
import { readSync } from 'node:fs'
import { openLibc } from './libc.ts'
import { PipeSpool, spoolLimit } from './pipe-spool.ts'
import { closeStandardInput } from './standard-input.ts'

/** Bytes that have come before the pipe is made larger: for a small core the library costs more than it saves. */
const enlargeAfter = 256 * 1024

/** What a pipe holds that nobody has made larger. */
const headSize = 64 * 1024

/** Tried in turn: beyond a mebibyte takes CAP_SYS_RESOURCE, which the kernel gives its helpers. */
const pipeSizes = [16 << 20, 1 << 20]

/** A core of no more is put aside as a whole before it is compressed: threads that start up take a processor from the kernel. */
const gatherMost = 512 << 20
/** Milliseconds in which the kernel fills no more than a part of the pipe. */
const gatherPause = 2

const sleeper = new Int32Array(new SharedArrayBuffer(4))

export class PipeReader {
  readonly #fd: number
  readonly #onEnd: () => void
  readonly #onProgress: () => void
  #head: Buffer = Buffer.alloc(0)
  #spool: PipeSpool | undefined
  #tuned = false
  #low = 32 * 1024
  #short = false
  #gathering = false
  #open = true
  #sharers = 1
  received = 0

  /**
   * `onEnd` is called once, when the last byte has been taken from the pipe and the pipe is closed; `onProgress` when some
   * have.
   */
  constructor(fd: number, onEnd: () => void, onProgress: () => void = () => {}) {
    this.#fd = fd
    this.#onEnd = onEnd
    this.#onProgress = onProgress
  }

  /** So many others take memory of this machine for what waits. */
  shareWith(others: number): void {
    this.#sharers = 1 + others
  }

  /**
   * Takes what the kernel has written so far, behind what somebody has `taken` before: it writes on while the handler makes its
   * threads. Whose core that is all of is held till the next read: its files are still to be opened.
   */
  begin(taken: Buffer = Buffer.alloc(0)): void {
    const head = Buffer.allocUnsafeSlow(taken.length + headSize)
    taken.copy(head)
    const got = this.#once(head, taken.length)
    if (got > 0) this.#onProgress()
    this.#head = head.subarray(0, taken.length + got)
  }

  /** At least one byte into `buffer` from `at`, or 0 at the end. */
  read(buffer: Buffer, at: number): number {
    if (this.#head.length > 0) {
      const got = this.#head.copy(buffer, at)
      this.#head = this.#head.subarray(got)
      this.received += got
      return got
    }
    if (!this.#tuned && this.received >= enlargeAfter) this.#tune()
    if (this.#gathering && this.#spool !== undefined) this.#gather(this.#spool)
    const got = this.#spool?.isEmpty === false ? this.#spool.read(buffer, at) : this.#readPipe(buffer, at)
    this.received += got
    return got
  }

  /** Tells how much will come in all. */
  expect(bytes: number): void {
    this.#gathering = bytes <= gatherMost
  }

  /** Something waits in the spool. */
  get hasBacklog(): boolean {
    return this.#spool?.isEmpty === false
  }

  /** The writer waits until something is read. */
  get isFull(): boolean {
    return this.#open && this.#spool?.hasRoom === false
  }

  get isReleased(): boolean {
    return !this.#open
  }

  /** Lets the writer go on while the caller waits for something else. */
  pump(): void {
    if (!this.#open) return
    if (this.#spool?.fill()) this.#onProgress()
    if (this.#spool?.ended) this.#end()
  }

  /** Closes the pipe, read to its end or not: the crashed process is free. What is in the spool can still be read. */
  release(): void {
    this.#end()
  }

  close(): void {
    this.#end()
    this.#spool?.close()
    this.#spool = undefined
  }

  #readPipe(buffer: Buffer, at: number): number {
    if (!this.#open) return 0
    // After a short read the writer gets a moment, so that the next one is worth its while.
    if (this.#short) Atomics.wait(sleeper, 0, 0, 0.2)
    const got = this.#once(buffer, at)
    this.#short = got < Math.min(this.#low, buffer.length - at)
    if (got === 0) this.#end()
    else this.#onProgress()
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

  #tune(): void {
    this.#tuned = true
    const libc = openLibc()
    if (libc === undefined) return
    if (pipeSizes.some(size => libc.setPipeSize(this.#fd, size))) this.#low = 256 * 1024
    this.#spool = new PipeSpool(libc, this.#fd, spoolLimit(this.#sharers))
  }

  /** Leaves the processors to the kernel until it has written everything. */
  #gather(spool: PipeSpool): void {
    this.#gathering = false
    while (this.#open && spool.hasRoom) {
      this.pump()
      if (this.#open) Atomics.wait(sleeper, 0, 0, gatherPause)
    }
  }

  #end(): void {
    if (!this.#open) return
    this.#open = false
    closeStandardInput(this.#fd)
    this.#onEnd()
  }
}
