/**
 * Memory that the reading thread and the compressing threads share: a ring of tickets, each for one slot with the raw
 * bytes of a block and room for the encoded ones. The reader publishes tickets, whoever compresses claims them in
 * order, and the reader collects them in order. Everything is of fixed size, whatever the core's.
 */
import { blockBound } from '../lz4/index.ts'

/** Content of one block: a whole read of the enlarged pipe. */
export const blockSize = 1 << 20

/** Places of the counters among the control words. */
const published = 0
const claimed = 1
const finished = 2
const stopped = 3
const ready = 4
const urgent = 5
const gone = 6
const counters = 16

export const slotState = { filled: 0, done: 1 } as const

export class BlockRing {
  readonly memory: SharedArrayBuffer
  readonly slots: number
  readonly blockSize: number
  readonly #control: Int32Array<SharedArrayBuffer>
  readonly #queue: Int32Array<SharedArrayBuffer>
  readonly #state: Int32Array<SharedArrayBuffer>
  readonly #rawLength: Int32Array<SharedArrayBuffer>
  readonly #encodedLength: Int32Array<SharedArrayBuffer>
  readonly #rawAt: number
  readonly #encodedAt: number

  constructor(slots: number, blockSize: number, memory?: SharedArrayBuffer) {
    const words = counters + 4 * slots
    this.#rawAt = Math.ceil((words * 4) / 4096) * 4096
    this.#encodedAt = this.#rawAt + slots * blockSize
    this.memory = memory ?? new SharedArrayBuffer(this.#encodedAt + slots * blockBound(blockSize))
    this.slots = slots
    this.blockSize = blockSize
    const part = (index: number): Int32Array<SharedArrayBuffer> =>
      new Int32Array(this.memory, (counters + index * slots) * 4, slots)
    this.#control = new Int32Array(this.memory, 0, counters)
    this.#queue = part(0)
    this.#state = part(1)
    this.#rawLength = part(2)
    this.#encodedLength = part(3)
  }

  raw(slot: number): Buffer {
    return Buffer.from(this.memory, this.#rawAt + slot * this.blockSize, this.blockSize)
  }

  /** Room for the encoded block, and after `finish` the block itself. */
  encoded(slot: number): Buffer {
    const bound = blockBound(this.blockSize)
    return Buffer.from(this.memory, this.#encodedAt + slot * bound, bound)
  }

  rawLength(slot: number): number {
    return this.#rawLength[slot]!
  }

  encodedLength(slot: number): number {
    return this.#encodedLength[slot]!
  }

  /** The reader hands a filled slot over. */
  publish(slot: number, length: number): void {
    this.#rawLength[slot] = length
    Atomics.store(this.#state, slot, slotState.filled)
    const ticket = Atomics.load(this.#control, published)
    this.#queue[ticket % this.slots] = slot
    Atomics.store(this.#control, published, ticket + 1)
    Atomics.notify(this.#control, published, 1)
  }

  /** The next slot to compress, for the caller alone; undefined where there is none. */
  claim(): number | undefined {
    for (;;) {
      const next = Atomics.load(this.#control, claimed)
      if (next === Atomics.load(this.#control, published)) return undefined
      const slot = this.#queue[next % this.slots]!
      if (Atomics.compareExchange(this.#control, claimed, next, next + 1) === next) return slot
    }
  }

  finish(slot: number, length: number): void {
    this.#encodedLength[slot] = length
    Atomics.store(this.#state, slot, slotState.done)
    Atomics.add(this.#control, finished, 1)
    Atomics.notify(this.#control, finished)
  }

  isDone(slot: number): boolean {
    return Atomics.load(this.#state, slot) === slotState.done
  }

  /** Sleeps until a ticket is published; false when there will be no more. */
  awaitTicket(): boolean {
    const seen = Atomics.load(this.#control, published)
    if (Atomics.load(this.#control, claimed) !== seen) return true
    if (Atomics.load(this.#control, stopped) === 1) return false
    Atomics.wait(this.#control, published, seen, 1000)
    return true
  }

  /** Counts finished slots; with `awaitFinished` the reader sleeps until the count moves on. */
  get finishedCount(): number {
    return Atomics.load(this.#control, finished)
  }

  awaitFinished(seen: number, milliseconds: number): boolean {
    return Atomics.wait(this.#control, finished, seen, milliseconds) !== 'timed-out'
  }

  stop(): void {
    Atomics.store(this.#control, stopped, 1)
    Atomics.notify(this.#control, published)
  }

  /** The crashed process waits for the threads, and for nothing else. */
  get isUrgent(): boolean {
    return Atomics.load(this.#control, urgent) === 1
  }

  set isUrgent(is: boolean) {
    Atomics.store(this.#control, urgent, is ? 1 : 0)
  }

  /** Threads that have come up. */
  get readyCount(): number {
    return Atomics.load(this.#control, ready)
  }

  sayReady(): void {
    Atomics.add(this.#control, ready, 1)
  }

  /** A thread that ends, of itself or over an error, says so: nobody waits for what it has claimed. */
  sayGone(): void {
    Atomics.add(this.#control, gone, 1)
    Atomics.notify(this.#control, finished)
  }

  /** No thread that has come up is left. */
  get isAbandoned(): boolean {
    const left = Atomics.load(this.#control, gone)
    return left > 0 && left === this.readyCount
  }
}
