/**
 * The core's bytes in order, from where they come fastest: the kernel's stream, and behind the notes, for a process that
 * touched little of its memory, that memory itself. The kernel waits meanwhile with a full pipe; closing it then ends its
 * dump early, and it tells the parent of a core dump all the same (`has_dumped` of elf_core_dump, fs/binfmt_elf.c). Where
 * the memory goes away the stream goes on.
 */
import type { TruncationReason } from '../archive/manifest.ts'
import { CoreSize } from './core-size.ts'
import type { MemoryStream } from './memory-stream.ts'
import type { PipeReader } from './pipe.ts'

/** What takes the place of the stream. */
export interface FromMemory {
  readonly stream: MemoryStream
  /** Where the core is put together anew: what takes the place of what has come, and why it is not all, where it isn't. */
  readonly part?: { readonly header: Buffer; readonly why?: { reason: TruncationReason; detail: string } }
}

/** Opens the rest of a core of which `begin` has come; undefined where the stream is as good. */
export type OpenMemory = (size: CoreSize, begin: Buffer) => FromMemory | undefined

/** A smaller core is read before anything else could be done. */
const worthTelling = 1 << 20
/** Of headers and notes that are held back until it is known where the rest comes from: those of thousands of threads. */
const mostHead = 32 << 20

export class CoreInput {
  readonly size = new CoreSize()
  readonly #pipe: PipeReader
  readonly #openMemory: OpenMemory | undefined
  #onOpen: (() => void) | undefined
  #considered = false
  #memory: MemoryStream | undefined
  #part: FromMemory['part']
  /** What has come and is given out before anything else. */
  #ahead: Buffer = Buffer.alloc(0)

  /** `onOpen` is called once the process's memory is open or is not to be, while a core that is worth it still comes. */
  constructor(pipe: PipeReader, openMemory?: OpenMemory, onOpen?: () => void) {
    this.#pipe = pipe
    this.#openMemory = openMemory
    this.#onOpen = onOpen
  }

  /** The process has been let go. */
  get isReleased(): boolean {
    return this.#pipe.isReleased
  }

  /** Why not all of the core is wanted. */
  get cut(): { reason: TruncationReason; detail: string } | undefined {
    return this.#part?.why
  }

  /** Pages of the process's memory that were in use, could not be read and are zeros. */
  get unread(): number {
    return this.#memory?.unread ?? 0
  }

  /** Bytes of the core so far. */
  get received(): number {
    return (this.#memory?.position ?? this.#pipe.received) - this.#ahead.length
  }

  /** Something waits between the kernel and us. */
  get hasBacklog(): boolean {
    return this.#memory === undefined && this.#pipe.hasBacklog
  }

  /** The kernel has no more room to write to. */
  get isFull(): boolean {
    return this.#memory === undefined && this.#pipe.isFull
  }

  /** At least one byte into `buffer` from `at`, or 0 at the end. */
  read(buffer: Buffer, at: number): number {
    if (this.#considered && this.#onOpen !== undefined) {
      if ((this.size.expected ?? 0) >= worthTelling) this.#onOpen()
      this.#onOpen = undefined
    }
    if (this.#ahead.length > 0) {
      const got = this.#ahead.copy(buffer, at)
      this.#ahead = this.#ahead.subarray(got)
      return got
    }
    if (this.#memory !== undefined) {
      try {
        const got = this.#memory.read(buffer, at)
        if (this.#memory.ended) this.#pipe.release()
        return got
      } catch {
        this.#backToPipe()
      }
    }
    return this.#considered ? this.#pipe.read(buffer, at) : this.#readHead(buffer, at)
  }

  /** Passes over whole blocks of zeros that are known without a look, up to `most` of the core; answers their number. */
  skipZeros(blockSize: number, most: number): number {
    return this.#ahead.length > 0 ? 0 : (this.#memory?.skipZeros(blockSize, most) ?? 0)
  }

  /** Lets the kernel go on while the caller waits for something else. */
  pump(): void {
    if (this.#memory === undefined) this.#pipe.pump()
  }

  close(): void {
    this.#memory?.close()
    this.#pipe.close()
  }

  /** Headers and notes come as a whole, in `buffer` and ahead of all reads to come: then it is decided where the rest comes from. */
  #readHead(buffer: Buffer, at: number): number {
    let length = 0
    while (!this.#considered && at + length < buffer.length) {
      const got = this.#readPipe(buffer, at + length)
      if (got === 0) break
      length += got
      this.#considered = this.#hasHead
    }
    let begin = buffer.subarray(at, at + length)
    if (!this.#considered && at + length === buffer.length) begin = this.#readOn(begin)
    if (!this.#considered) return length
    this.#choose(begin)
    const header = this.#part?.header
    const given = header === undefined ? length : header.copy(buffer, at)
    this.#ahead = (header ?? begin).subarray(given)
    return given
  }

  /** `begin` and what follows it up to the first memory, or to as much as is held back. */
  #readOn(begin: Buffer): Buffer {
    let held = Buffer.concat([begin], this.#room(2 * begin.length))
    let length = begin.length
    while (!this.#considered) {
      if (length === held.length) held = Buffer.concat([held], this.#room(2 * length))
      const got = this.#readPipe(held, length)
      length += got
      this.#considered = got === 0 || length >= mostHead || this.#hasHead
    }
    return held.subarray(0, length)
  }

  /** Bytes to make room for: as far as the notes go, where that is known. */
  #room(wanted: number): number {
    const end = this.size.done ? (this.size.segments[0]?.offset ?? 0) : wanted
    return Math.min(mostHead, Math.max(wanted, end))
  }

  #readPipe(buffer: Buffer, at: number): number {
    const got = this.#pipe.read(buffer, at)
    if (!this.size.done) this.size.feed(buffer.subarray(at, at + got))
    return got
  }

  /** Notes come before memory. */
  get #hasHead(): boolean {
    return this.size.done && this.#pipe.received >= (this.size.segments[0]?.offset ?? 0)
  }

  /** Decides where the rest comes from, `begin` being all that has come. */
  #choose(begin: Buffer): void {
    const { segments, expected } = this.size
    try {
      if (this.#hasHead && segments.at(-1)?.end === expected && begin.length === this.#pipe.received) {
        const from = this.#openMemory?.(this.size, begin)
        this.#memory = from?.stream
        this.#part = from?.part
      }
    } catch {
      // Not ours to read: the kernel's stream is.
    }
    if (this.#memory === undefined && expected !== undefined) this.#pipe.expect(expected)
  }

  /** The stream holds what memory gave so far once more. */
  #backToPipe(): void {
    const { position } = this.#memory!
    this.#memory!.close()
    this.#memory = undefined
    // What is kept of a part has other places in the stream: the process is gone, and with it the rest.
    if (this.#part !== undefined) {
      this.#pipe.release()
      return
    }
    const scratch = Buffer.alloc(64 * 1024)
    while (this.#pipe.received < position) {
      const most = Math.min(scratch.length, position - this.#pipe.received)
      if (this.#pipe.read(scratch.subarray(0, most), 0) === 0) return
    }
  }
}
