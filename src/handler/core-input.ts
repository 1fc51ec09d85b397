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

export class CoreInput {
  readonly size = new CoreSize()
  readonly #pipe: PipeReader
  readonly #openMemory: OpenMemory | undefined
  #onOpen: (() => void) | undefined
  #considered = false
  #memory: MemoryStream | undefined
  #part: FromMemory['part']

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

  /** Bytes of the core so far. */
  get received(): number {
    return this.#memory?.position ?? this.#pipe.received
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
    if (this.#memory !== undefined) {
      try {
        const got = this.#memory.read(buffer, at)
        if (this.#memory.ended) this.#pipe.release()
        return got
      } catch {
        this.#backToPipe()
      }
    }
    let length = 0
    do {
      const got = this.#pipe.read(buffer, at + length)
      if (got === 0) break
      if (!this.size.done) this.size.feed(buffer.subarray(at + length, at + length + got))
      length += got
      // The notes come as a whole where there is room for them.
    } while (!this.#considerMemory(buffer.subarray(at, at + length)) && at + length < buffer.length)
    if (this.#part === undefined || this.#memory?.position !== this.#part.header.length) return length
    return this.#part.header.copy(buffer, at)
  }

  /** Passes over whole blocks of zeros that are known without a look, up to `most` of the core; answers their number. */
  skipZeros(blockSize: number, most: number): number {
    return this.#memory?.skipZeros(blockSize, most) ?? 0
  }

  /** Lets the kernel go on while the caller waits for something else. */
  pump(): void {
    if (this.#memory === undefined) this.#pipe.pump()
  }

  close(): void {
    this.#memory?.close()
    this.#pipe.close()
  }

  /** True when there is nothing to wait for. */
  #considerMemory(begin: Buffer): boolean {
    if (this.#considered || !this.size.done) return this.#considered
    // Notes come before memory.
    const { segments, expected } = this.size
    if (this.#pipe.received < (segments[0]?.offset ?? 0)) return false
    this.#considered = true
    try {
      // Only where `begin` is the very beginning.
      if (segments.at(-1)?.end === expected && begin.length === this.#pipe.received) {
        const from = this.#openMemory?.(this.size, begin)
        this.#memory = from?.stream
        this.#part = from?.part
      }
    } catch {
      // Not ours to read: the kernel's stream is.
    }
    if (this.#memory === undefined && expected !== undefined) this.#pipe.expect(expected)
    return true
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
