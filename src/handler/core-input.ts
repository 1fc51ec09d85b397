/**
 * The core's bytes in order, from where they come fastest: the kernel's stream, and behind the notes, for a process that
 * touched little of its memory, that memory itself. The kernel waits meanwhile with a full pipe; closing it then ends its
 * dump early, and it tells the parent of a core dump all the same (`has_dumped` of elf_core_dump, fs/binfmt_elf.c). Where
 * the memory goes away the stream goes on.
 */
import { CoreSize } from './core-size.ts'
import type { MemoryStream } from './memory-stream.ts'
import type { PipeReader } from './pipe.ts'

/** Opens the rest of a core from memory, of which `position` bytes have come; undefined where the stream is as good. */
export type OpenMemory = (size: CoreSize, position: number) => MemoryStream | undefined

export class CoreInput {
  readonly size = new CoreSize()
  readonly #pipe: PipeReader
  readonly #openMemory: OpenMemory | undefined
  #considered = false
  #memory: MemoryStream | undefined

  constructor(pipe: PipeReader, openMemory?: OpenMemory) {
    this.#pipe = pipe
    this.#openMemory = openMemory
  }

  /** The process has been let go. */
  get isReleased(): boolean {
    return this.#pipe.isReleased
  }

  /** Bytes of the core so far. */
  get received(): number {
    return this.#memory?.position ?? this.#pipe.received
  }

  /** Something waits between the kernel and us. */
  get hasBacklog(): boolean {
    return this.#memory === undefined && this.#pipe.hasBacklog
  }

  /** At least one byte into `buffer` from `at`, or 0 at the end. */
  read(buffer: Buffer, at: number): number {
    if (this.#memory !== undefined) {
      try {
        const got = this.#memory.read(buffer, at)
        if (this.#memory.ended) this.#pipe.release()
        return got
      } catch {
        this.#backToPipe()
      }
    }
    const got = this.#pipe.read(buffer, at)
    if (!this.size.done) this.size.feed(buffer.subarray(at, at + got))
    this.#considerMemory()
    return got
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

  #considerMemory(): void {
    if (this.#considered || !this.size.done) return
    // Notes come before memory.
    const { segments, expected } = this.size
    if (this.#pipe.received < (segments[0]?.offset ?? 0)) return
    this.#considered = true
    try {
      if (segments.at(-1)?.end === expected) this.#memory = this.#openMemory?.(this.size, this.#pipe.received)
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
    const scratch = Buffer.alloc(64 * 1024)
    while (this.#pipe.received < position) {
      const most = Math.min(scratch.length, position - this.#pipe.received)
      if (this.#pipe.read(scratch.subarray(0, most), 0) === 0) return
    }
  }
}
