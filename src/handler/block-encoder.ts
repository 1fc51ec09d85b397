/**
 * Turns full blocks into the LZ4 file, in order, with the help of threads where there is enough to do. No wait is
 * without end: a thread that has died leaves its block to be compressed here.
 */
import type { Worker } from 'node:worker_threads'
import { blockBound, type Lz4Writer, writeBlock } from '../lz4/index.ts'
import { BlockRing } from './block-ring.ts'
import { type CompressOrder, threadArgument } from './compress-thread.ts'

export interface EncoderOptions {
  /** Compressing threads; 0 for none. */
  threads: number
  /** The program to start as a thread. */
  script: string
  /** Called while this thread waits for the others. */
  idle?: () => void
  slots?: number
  /** Milliseconds after which a silent thread is given up. */
  patience?: number
}

/** A slot, or a block of zeros. */
type Pending = number | 'zeros'

/** A Go program's small core is done before a thread would have come up. */
const blocksBeforeThreads = 6

export class BlockEncoder {
  readonly #writer: Lz4Writer
  readonly #ring: BlockRing
  readonly #options: EncoderOptions
  readonly #free: number[]
  /** What is on its way, in order. */
  readonly #pending: Pending[] = []
  readonly #workers: Worker[] = []
  #threaded = false
  #busyBlocks = 0

  constructor(writer: Lz4Writer, options: EncoderOptions) {
    this.#writer = writer
    this.#options = options
    this.#ring = new BlockRing(options.slots ?? 10, writer.blockSize)
    this.#free = Array.from({ length: this.#ring.slots }, (_, i) => i)
  }

  /** A slot to fill. Waits where all are in use, but never for a thread that doesn't answer. */
  take(): number {
    this.#collect()
    while (this.#free.length === 0) this.#makeRoom()
    return this.#free.pop()!
  }

  buffer(slot: number): Buffer {
    return this.#ring.raw(slot)
  }

  release(slot: number): void {
    this.#free.push(slot)
  }

  /** Takes over a full slot; false where it held zeros, which cost next to nothing. */
  submit(slot: number): boolean {
    const raw = this.#ring.raw(slot)
    if (this.#writer.isZero(raw)) {
      this.#free.push(slot)
      this.addZeros(1)
      return false
    }
    if (++this.#busyBlocks === blocksBeforeThreads) this.#startThreads()
    if (!this.#threaded) {
      this.#writer.add(raw)
      this.#free.push(slot)
      return true
    }
    this.#writer.head.feed(raw)
    this.#ring.publish(slot, raw.length)
    this.#pending.push(slot)
    return true
  }

  /** The kernel can't go on before there is room for more: the threads' work comes first. */
  set isUrgent(is: boolean) {
    this.#ring.isUrgent = is
  }

  /** Takes over `count` blocks of zeros. */
  addZeros(count: number): void {
    if (count > 0) this.#writer.head.close()
    for (let i = 0; i < count; i++)
      if (this.#pending.length === 0) this.#writer.addZeros()
      else this.#pending.push('zeros')
  }

  /** Waits for all blocks and writes the last piece, the end mark and the index. */
  finish(rest: Buffer): void {
    this.drain()
    this.#writer.finish(rest)
  }

  /** Waits until all that was submitted is written. */
  drain(): void {
    while (this.#pending.length > 0) {
      this.#collect()
      if (this.#pending.length > 0) this.#makeRoom()
    }
  }

  close(): void {
    this.#ring.stop()
    for (const worker of this.#workers) worker.unref()
  }

  #startThreads(): void {
    if (this.#options.threads === 0) return
    const order: CompressOrder = {
      slots: this.#ring.slots,
      blockSize: this.#ring.blockSize,
      memory: this.#ring.memory,
    }
    try {
      // Loaded here: a small core is done without.
      const { Worker } = process.getBuiltinModule('node:worker_threads')
      for (let i = 0; i < this.#options.threads; i++)
        this.#workers.push(
          new Worker(this.#options.script, {
            argv: [threadArgument],
            workerData: order,
          }).on('error', () => {}),
        )
      this.#threaded = true
    } catch {
      // No threads to be had: everything is compressed here.
    }
  }

  /** Writes what is done, in order. */
  #collect(): void {
    for (;;) {
      const next = this.#pending[0]
      if (next === undefined || (typeof next === 'number' && !this.#ring.isDone(next))) return
      this.#pending.shift()
      if (next === 'zeros') this.#writer.addZeros()
      else {
        this.#free.push(next)
        const block = this.#ring.encoded(next).subarray(0, this.#ring.encodedLength(next))
        this.#writer.addEncoded(block, this.#ring.rawLength(next))
      }
    }
  }

  /** Gets the oldest block forward: by waiting for its thread, or by compressing it here while no thread has come up. */
  #makeRoom(): void {
    this.#options.idle?.()
    if (this.#oldest() !== undefined) {
      const slot = this.#ring.readyCount === 0 ? this.#ring.claim() : undefined
      if (slot === undefined) this.#awaitOldest()
      else {
        const raw = this.#ring.raw(slot).subarray(0, this.#ring.rawLength(slot))
        this.#ring.finish(slot, writeBlock(raw, this.#ring.encoded(slot)))
      }
    }
    this.#collect()
  }

  #oldest(): number | undefined {
    return this.#pending.find(entry => typeof entry === 'number')
  }

  #awaitOldest(): void {
    const slot = this.#oldest()!
    const deadline = performance.now() + (this.#options.patience ?? 10_000)
    while (!this.#ring.isDone(slot)) {
      const seen = this.#ring.finishedCount
      if (this.#ring.isDone(slot)) return
      this.#ring.awaitFinished(seen, this.#options.idle === undefined ? 100 : 2)
      this.#options.idle?.()
      if (this.#ring.isAbandoned || performance.now() > deadline) {
        this.#giveUpThreads()
        return
      }
    }
  }

  /** Compresses here what is pending, into memory that no thread knows, and goes on without them. */
  #giveUpThreads(): void {
    this.#threaded = false
    const scratch = Buffer.alloc(blockBound(this.#writer.blockSize))
    while (this.#ring.claim() !== undefined);
    for (const slot of this.#pending.splice(0)) {
      if (slot === 'zeros') {
        this.#writer.addZeros()
        continue
      }
      const raw = this.#ring.raw(slot).subarray(0, this.#ring.rawLength(slot))
      this.#writer.addEncoded(scratch.subarray(0, writeBlock(raw, scratch)), raw.length)
      // A thread that is only slow may still read the slot; it writes to `encoded` alone, so the raw side is free.
      this.#free.push(slot)
    }
  }
}
