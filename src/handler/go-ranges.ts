/**
 * The memory without which a dump of a Go program says little: goroutines and their stacks. They lie in the arenas between
 * all of the heap, so they are found as the runtime finds them, by `runtime.allgs`; and since a handler knows neither symbols
 * nor the version, by its form: a slice in the data segments whose elements all begin as `runtime.g` has begun in every version
 * (runtime2.go: `stack.lo, stack.hi, stackguard0, stackguard1 uintptr; _panic, _defer; m; sched.sp`).
 */
import type { AddressRange } from './proc-text.ts'
import { pageSize } from './process-memory.ts'

/** Fills a buffer from an address; zeros where there is nothing. */
export type ReadMemory = (buffer: Buffer, address: number) => void

const word = 8
const sliceSize = 3 * word
const chunkSize = 1 << 20
const mostGoroutines = 1 << 19
const mostStack = 1 << 30
/** Of a stack that has no use for more: frames near the top of the stack matter most, and those of the beginning. */
const mostKeptStack = 256 * 1024
/** No version's `runtime.g` or `runtime.m` is longer. */
const structSize = 3072
const heapStart = 0x10000
const addressEnd = 2 ** 47

/** Reads a word as a number; what is no address of user space as 0. */
const addressAt = (bytes: Buffer, at: number): number => {
  const high = bytes.readUInt32LE(at + 4)
  return high < 0x8000 ? high * 2 ** 32 + bytes.readUInt32LE(at) : 0
}

interface Goroutine {
  readonly address: number
  readonly low: number
  readonly high: number
  readonly sp: number
  readonly m: number
}

/** The goroutine at `address`, where what lies there begins as one does. One without a stack has died. */
function readGoroutine(read: ReadMemory, address: number): Goroutine | 'dead' | undefined {
  if (address % word !== 0 || address < heapStart) return undefined
  const bytes = Buffer.alloc(64)
  read(bytes, address)
  const [low, high] = [addressAt(bytes, 0), addressAt(bytes, 8)]
  if (low === 0 && high === 0)
    return bytes.readBigUInt64LE(0) === 0n && bytes.readBigUInt64LE(8) === 0n ? 'dead' : undefined
  const size = high - low
  if (low < heapStart || size < 1024 || size > mostStack) return undefined
  const guard = addressAt(bytes, 16)
  // stackPreempt and stackFork lie beyond every address.
  const isGuard = (guard > low && guard < low + 8192) || bytes.readUInt32LE(20) === 0xffffffff
  if (!isGuard) return undefined
  return { address, low, high, sp: addressAt(bytes, 56), m: addressAt(bytes, 48) }
}

/** Where the search ends: a process may be made so that it would take for ever. */
const mostReads = 1 << 22

/**
 * The variables around `runtime.allgs`, its array, then the goroutines: of the first slice in `data` that is one. None where the
 * program is not Go's.
 */
export function findGoroutines(read: ReadMemory, data: readonly AddressRange[]): Goroutine[] {
  let reads = 0
  const counted: ReadMemory = (buffer, address) => {
    if (++reads <= mostReads) read(buffer, address)
    else buffer.fill(0)
  }
  const bytes = Buffer.alloc(chunkSize)
  // A slice's three words may lie across the end of a chunk.
  for (const { start, end } of data)
    for (let chunk = start; chunk + sliceSize <= end; chunk += chunkSize - sliceSize + word) {
      const piece = bytes.subarray(0, Math.min(end - chunk, chunkSize))
      counted(piece, chunk)
      for (let at = 0; at + sliceSize <= piece.length && reads < mostReads; at += word) {
        const found = findIn(counted, piece, at)
        // With what lies around the slice: the runtime's other variables.
        if (found !== undefined) return [around(chunk + at), ...found]
      }
    }
  return []
}

const around = (address: number): Goroutine => {
  const [low, high] = [Math.max(0, address - (128 << 10)), address + (128 << 10)]
  return { address, low, high, sp: low, m: 0 }
}

function findIn(read: ReadMemory, bytes: Buffer, at: number): Goroutine[] | undefined {
  // Length and capacity below 2^32 first: most words are told apart by two looks.
  if (bytes.readUInt32LE(at + 12) !== 0 || bytes.readUInt32LE(at + 20) !== 0) return undefined
  const length = bytes.readUInt32LE(at + 8)
  const capacity = bytes.readUInt32LE(at + 16)
  if (length < 2 || capacity < length || length > mostGoroutines || capacity > 4 * length + 64)
    return undefined
  const pointer = addressAt(bytes, at)
  return pointer < heapStart || pointer % word !== 0 ? undefined : readAll(read, pointer, length)
}

function readAll(read: ReadMemory, pointer: number, length: number): Goroutine[] | undefined {
  const array = Buffer.alloc(length * word)
  read(array.subarray(0, word), pointer)
  if (typeof readGoroutine(read, addressAt(array, 0)) !== 'object') return undefined
  read(array, pointer)
  const found: Goroutine[] = []
  for (let at = 0; at < array.length; at += word) {
    const goroutine = readGoroutine(read, addressAt(array, at))
    if (goroutine === undefined) return undefined
    if (goroutine !== 'dead') found.push(goroutine)
  }
  // The array itself: the first to be kept.
  return [{ address: pointer, low: pointer, high: pointer + length * word, sp: pointer, m: 0 }, ...found]
}

/** Pages to keep, most needed first: whoever has no room for all takes as many as there is room for. */
export function* neededPages(
  read: ReadMemory,
  data: readonly AddressRange[],
  stackPointers: readonly number[],
): Generator<AddressRange> {
  for (const sp of stackPointers) yield { start: sp - 4096, end: sp + 64 * 1024 }
  const [variables, array, ...goroutines] = findGoroutines(read, data)
  if (variables === undefined || array === undefined) return
  for (const { low, high } of [variables, array]) yield { start: low, end: high }
  const machines = new Set<number>()
  for (const { address, m } of goroutines) {
    yield { start: address, end: address + structSize }
    if (m !== 0) machines.add(m)
  }
  for (const m of machines) yield { start: m, end: m + structSize }
  for (const { low, high, sp } of goroutines) {
    const from = sp >= low && sp < high ? sp : low
    yield { start: from, end: Math.min(high, from + mostKeptStack) }
    yield { start: Math.max(from, high - pageSize), end: high }
  }
  // What goroutines and machines point to: sudogs, panics, defers, labels.
  const bytes = Buffer.alloc(512)
  for (const { address } of goroutines) {
    read(bytes, address)
    for (let at = 32; at < bytes.length; at += word) {
      const target = addressAt(bytes, at)
      if (target >= heapStart && target < addressEnd) yield { start: target, end: target + 256 }
    }
  }
  // What the stacks point to: the values of arguments and of panics.
  for (const { low, high, sp } of goroutines) {
    const from = sp >= low && sp < high ? sp : low
    const stack = Buffer.alloc(Math.min(high - from, 8192))
    read(stack, from)
    for (let at = 0; at + word <= stack.length; at += word) {
      const target = addressAt(stack, at)
      if (target >= heapStart && (target < low || target >= high)) yield { start: target, end: target + 64 }
    }
  }
}
