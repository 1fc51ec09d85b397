/**
 * Memory between the kernel and a compressor that can't keep up: pipes of our own. The pages that the kernel has filled
 * are moved there without a copy (splice(2)), so the crashed process is dumped at the speed of the kernel alone, and is
 * let go when the last page has been moved, not when it has been compressed. The pages are the kernel's, bounded by
 * what the pipes hold.
 */
import { closeSync, readFileSync, readSync } from 'node:fs'
import type { Libc } from './libc.ts'

/** What the spool asks of the C library. */
export type PipeCalls = Pick<Libc, 'setPipeSize' | 'pipe' | 'movePipe'>

interface SpoolPipe {
  read: number
  write: number
  held: number
}

/** The table of a larger pipe's pages might not be had in one piece (kcalloc in fs/pipe.c). */
const pipeSize = 64 << 20
const mostPipes = 32
/** A move of less has filled its pipe, or taken what there was. */
const worthwhile = 1 << 20
const mostShort = 2

export class PipeSpool {
  readonly #libc: PipeCalls
  readonly #source: number
  readonly #most: number
  /** Pipes that hold something, in the order of the content. */
  readonly #held: SpoolPipe[] = []
  readonly #empty: SpoolPipe[] = []
  #ended = false
  #isFull = false

  constructor(libc: PipeCalls, source: number, most: number) {
    this.#libc = libc
    this.#source = source
    this.#most = Math.min(mostPipes, Math.floor(most / pipeSize))
  }

  /** The source has no more to give. */
  get ended(): boolean {
    return this.#ended
  }

  get isEmpty(): boolean {
    return this.#held.length === 0
  }

  /** The last `fill` did not end for want of room. */
  get hasRoom(): boolean {
    return !this.#isFull
  }

  /**
   * Takes over what the source holds now, as far as there is room. Never waits, nor runs after a writer that adds page
   * by page: each move takes the lock that it needs. Answers whether there was anything.
   */
  fill(): boolean {
    let last = this.#held.at(-1)
    let short = 0
    let any = false
    while (!this.#ended && short <= mostShort) {
      if (last !== undefined) {
        const moved = this.#libc.movePipe(this.#source, last.write, pipeSize)
        if (moved > 0) {
          last.held += moved
          any = true
          if (moved < worthwhile) short++
          continue
        }
        if (moved === 0) this.#ended = true
      }
      // The pipe is full, or the source empty: an empty pipe tells which.
      const next = this.#takeEmpty()
      this.#isFull = next === undefined
      if (next === undefined) return any
      const moved = this.#ended ? 0 : this.#libc.movePipe(this.#source, next.write, pipeSize)
      if (moved <= 0) {
        if (moved === 0) this.#ended = true
        this.#empty.push(next)
        return any
      }
      any = true
      next.held = moved
      this.#held.push(next)
      if (moved < worthwhile) short++
      last = next
    }
    return any
  }

  /** Reads from the spool, which is not empty. */
  read(buffer: Buffer, at: number): number {
    const first = this.#held[0]!
    const got = readSync(first.read, buffer, at, Math.min(buffer.length - at, first.held), null)
    first.held -= got
    if (first.held === 0) this.#empty.push(this.#held.shift()!)
    return got
  }

  close(): void {
    for (const { read, write } of [...this.#held.splice(0), ...this.#empty.splice(0)]) {
      closeSync(read)
      closeSync(write)
    }
  }

  #takeEmpty(): SpoolPipe | undefined {
    const empty = this.#empty.pop()
    if (empty !== undefined || this.#held.length >= this.#most) return empty
    const pipe = this.#libc.pipe()
    if (pipe === undefined) return undefined
    if (this.#libc.setPipeSize(pipe.write, pipeSize)) return { ...pipe, held: 0 }
    closeSync(pipe.read)
    closeSync(pipe.write)
    return undefined
  }
}

/**
 * An eighth of the memory that is to be had, of those that want one at the same time to each its share; and no more than two
 * gigabytes: the dying process gives back as much. Sixteen that come one after the other take a good third in all.
 */
export function spoolLimit(sharers: number): number {
  try {
    const kilobytes = /^MemAvailable:\s*([0-9]+) kB$/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1]
    return Math.min((Number(kilobytes ?? 0) * 128) / sharers, mostPipes * pipeSize)
  } catch {
    return 0
  }
}
