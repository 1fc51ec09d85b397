/**
 * The memory of the crashed process, as it lies while the kernel waits: /proc/PID/mem, which gives what the kernel's own
 * dump gives (both read with FOLL_FORCE), and /proc/PID/pagemap, which tells the pages that were ever touched. The
 * descriptors belong to that memory and no other, whatever becomes of the PID.
 */
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { nextRange, touches } from './foreign-memory.ts'
import type { AddressRange } from './proc-text.ts'

export const pageSize = 4096

/** The process has ended and its memory is gone. */
export class MemoryGone extends Error {}

/** Bits 62 and 63 of a pagemap entry (Documentation/admin-guide/mm/pagemap.rst): swapped out, or present. */
const touchedBits = 0xc0
const entrySize = 8
const pagemapChunk = 64 * 1024
const untouched = Buffer.alloc(pagemapChunk)

export class ProcessMemory {
  readonly #mem: number
  readonly #pagemap: number
  readonly #entries = Buffer.alloc(pagemapChunk)
  readonly #foreign: readonly AddressRange[]

  /**
   * Opens the files of `directory`, a /proc/PID that is held open. Throws where they are not to be had. What is `foreign`
   * is never read.
   */
  constructor(directory: string, foreign: readonly AddressRange[] = []) {
    this.#foreign = foreign
    this.#mem = openSync(`${directory}/mem`, constants.O_RDONLY)
    try {
      this.#pagemap = openSync(`${directory}/pagemap`, constants.O_RDONLY)
    } catch (error) {
      closeSync(this.#mem)
      throw error
    }
  }

  /** Somebody else than the kernel gives what is in [start, end), or a part of it. */
  isForeign(start: number, end: number): boolean {
    return touches(this.#foreign, start, end)
  }

  /**
   * Fills `buffer` from `address`. A page that can't be read is zeros, as it is in the kernel's dump. Throws MemoryGone
   * where the process has ended meanwhile. Answers the number of such pages that were in use.
   */
  read(buffer: Buffer, address: number): number {
    let unread = 0
    for (let at = 0; at < buffer.length; ) {
      const got =
        this.#foreign.length === 0
          ? this.#once(buffer, at, address + at)
          : this.#own(buffer, at, address + at)
      if (got === 0) throw new MemoryGone('the process has ended')
      if (got > 0) at += got
      else {
        const next = Math.min(buffer.length, at + pageSize - ((address + at) % pageSize))
        if (this.#isTouched(address + at)) unread++
        buffer.fill(0, at, next)
        at = next
      }
    }
    return unread
  }

  /** Calls `found` for each run of touched pages in [start, end), in order, until it answers false. */
  touched(start: number, end: number, found: (start: number, end: number) => boolean): boolean {
    let from: number | undefined
    for (let at = start; at < end; ) {
      const length = Math.min(pagemapChunk, ((end - at) / pageSize) * entrySize)
      const got = readSync(this.#pagemap, this.#entries, 0, length, (at / pageSize) * entrySize)
      const pages = Math.floor(got / entrySize)
      if (pages === 0) throw new MemoryGone('the process has ended')
      const empty = this.#entries.compare(untouched, 0, got, 0, got) === 0
      for (let page = 0; page < (empty ? 1 : pages); page++) {
        const isTouched = (this.#entries[page * entrySize + entrySize - 1]! & touchedBits) !== 0
        if (isTouched) from ??= at + page * pageSize
        else if (from !== undefined) {
          if (!found(from, at + page * pageSize)) return false
          from = undefined
        }
      }
      at += pages * pageSize
    }
    return from === undefined || found(from, end)
  }

  /** False also where that can't be told. */
  #isTouched(address: number): boolean {
    const entry = this.#entries.subarray(0, entrySize)
    const at = Math.floor(address / pageSize) * entrySize
    try {
      return (
        readSync(this.#pagemap, entry, 0, entrySize, at) === entrySize &&
        (entry[entrySize - 1]! & touchedBits) !== 0
      )
    } catch {
      return false
    }
  }

  close(): void {
    closeSync(this.#mem)
    closeSync(this.#pagemap)
  }

  /** The same up to the next page of somebody's. */
  #own(buffer: Buffer, at: number, address: number): number {
    const end = address + buffer.length - at
    const next = nextRange(this.#foreign, address)
    if (next === undefined || next.start >= end) return this.#once(buffer, at, address)
    return address >= next.start ? -1 : this.#once(buffer.subarray(0, at + next.start - address), at, address)
  }

  #once(buffer: Buffer, at: number, address: number): number {
    // The vsyscall page lies beyond what a position can be, and dumps hold zeros for it.
    if (!Number.isSafeInteger(address)) return -1
    try {
      return readSync(this.#mem, buffer, at, buffer.length - at, address)
    } catch {
      return -1
    }
  }
}
