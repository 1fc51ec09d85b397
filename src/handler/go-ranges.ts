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
/** No version's `runtime.g` is longer, nor `runtime.m`. */
const sizeOfG = 512
const sizeOfM = 3072
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

interface GoMemory {
  /** Where the variable `runtime.allgs` lies. */
  readonly variable: number
  readonly array: AddressRange
  readonly goroutines: readonly Goroutine[]
  /** Addresses of those that have died. */
  readonly dead: readonly number[]
}

/**
 * The first slice in `data` that is `runtime.allgs`; undefined where the program is not Go's, or where `isOver` says that the
 * search has taken too long: a process may be made so that it would take for ever.
 */
export function findGoroutines(
  read: ReadMemory,
  data: readonly AddressRange[],
  isOver: () => boolean,
): GoMemory | undefined {
  const bytes = Buffer.alloc(chunkSize)
  // A slice's three words may lie across the end of a chunk.
  for (const { start, end } of data)
    for (let chunk = start; chunk + sliceSize <= end; chunk += chunkSize - sliceSize + word) {
      if (isOver()) return undefined
      const piece = bytes.subarray(0, Math.min(end - chunk, chunkSize))
      read(piece, chunk)
      for (let at = 0; at + sliceSize <= piece.length; at += word) {
        const slice = sliceIn(piece, at)
        if (slice === undefined) continue
        if (isOver()) return undefined
        const found = readAll(read, slice, isOver)
        if (found !== undefined) return { variable: chunk + at, ...found }
      }
    }
  return undefined
}

interface Slice {
  readonly pointer: number
  readonly length: number
}

/** What may be a slice of as many goroutines as a program has. */
function sliceIn(bytes: Buffer, at: number): Slice | undefined {
  // Length and capacity below 2^32 first: most words are told apart by two looks.
  if (bytes.readUInt32LE(at + 12) !== 0 || bytes.readUInt32LE(at + 20) !== 0) return undefined
  const length = bytes.readUInt32LE(at + 8)
  const capacity = bytes.readUInt32LE(at + 16)
  if (length < 2 || capacity < length || length > mostGoroutines || capacity > 4 * length + 64)
    return undefined
  const pointer = addressAt(bytes, at)
  return pointer < heapStart || pointer % word !== 0 ? undefined : { pointer, length }
}

function readAll(
  read: ReadMemory,
  { pointer, length }: Slice,
  isOver: () => boolean,
): Omit<GoMemory, 'variable'> | undefined {
  const first = Buffer.alloc(word)
  read(first, pointer)
  if (readGoroutine(read, addressAt(first, 0)) === undefined) return undefined
  const array = Buffer.alloc(length * word)
  read(array, pointer)
  const goroutines: Goroutine[] = []
  const dead: number[] = []
  for (let at = 0; at < array.length; at += word) {
    if (isOver()) return undefined
    const address = addressAt(array, at)
    const goroutine = readGoroutine(read, address)
    if (goroutine === undefined) return undefined
    if (goroutine === 'dead') dead.push(address)
    else goroutines.push(goroutine)
  }
  // Zeros lie everywhere.
  if (goroutines.length === 0) return undefined
  return { array: { start: pointer, end: pointer + array.length }, goroutines, dead }
}

/** A thread as its registers tell it: where its stack is, and where it keeps the address of its goroutine. */
export interface ThreadPlace {
  readonly sp: number
  /** Holds the address; on architectures that have it in a register, absent. */
  readonly slot?: number
  /** The address itself. */
  readonly g?: number
}

/** What is looked through, and how much there is room for. */
export interface Process {
  readonly read: ReadMemory
  /** Segments that may hold variables, the likelier first. */
  readonly data: readonly AddressRange[]
  /** The one that crashed first. */
  readonly threads: readonly ThreadPlace[]
  readonly room: number
  /** Whether the search for goroutines has taken long enough. */
  readonly isOver: () => boolean
}

/** Kept as a whole: the beginnings of program and libraries, then data of a few pages, then all that is small. */
const small = { beginning: pageSize, data: 32 << 10, all: 256 << 10 } as const
/** More beginnings than a program has libraries are something else. */
const mostBeginnings = 256
/** Variables beside `runtime.allgs`, where the data segments are too large for the room. */
const around = 128 << 10
/** Of a thread's stack: all that a C program's frames have, or what a glance shows. */
const threadStack = { deep: 64 << 10, shallow: 8 << 10 } as const
/** Of the stack of a goroutine that runs, or is main's. */
const runningStack = 32 << 10
/** Goroutines that run, of which more than their place is kept before all others' places. */
const mostRunning = 64
/** Words at the beginning of `runtime.m` among which are g0 and gsignal. */
const headOfM = 32

/**
 * Pages to keep, most needed first: whoever has no room for all takes as many as there is room for. Each goroutine's place in
 * the list comes before any one's stack, but for those that ran: one of them died.
 */
export function* neededPages(process: Process): Generator<AddressRange> {
  const { data, threads } = process
  const [crashed, ...others] = threads
  const upTo = (size: number): readonly AddressRange[] => data.filter(({ start, end }) => end - start <= size)
  yield* upTo(small.beginning).slice(0, mostBeginnings)
  if (crashed !== undefined) yield stackFrom(crashed, threadStack.deep)
  const found = findGoroutines(process.read, data, process.isOver)
  if (found !== undefined) yield* goRuntime(process, found)
  yield* upTo(small.data)
  for (const thread of others) yield stackFrom(thread, threadStack.shallow)
  yield* upTo(small.all)
  if (found !== undefined) yield* goStacks(found)
  for (const thread of others) yield stackFrom(thread, threadStack.deep)
  if (found !== undefined) yield* pointees(process.read, found.goroutines)
}

const stackFrom = ({ sp }: ThreadPlace, size: number): AddressRange => ({ start: sp - 4096, end: sp + size })

const goroutineAt = (address: number): AddressRange => ({ start: address, end: address + sizeOfG })

/** What the runtime knows of its goroutines and threads, and how the program died. */
function* goRuntime(process: Process, found: GoMemory): Generator<AddressRange> {
  const { read, threads } = process
  const { array, goroutines, dead } = found
  yield* variablesOf(process, found.variable)
  yield array
  for (const goroutine of mostTelling(process, goroutines)) {
    yield goroutineAt(goroutine.address)
    yield* machineAt(read, goroutine.m)
    yield runningPart(goroutine, threads)
    yield* panicOf(read, goroutine.address)
  }
  for (const { address } of goroutines) yield goroutineAt(address)
  for (const m of machinesOf(goroutines)) yield* machineAt(read, m)
  for (const g of threads.map(thread => currentOf(read, thread)).filter(g => g !== undefined)) {
    yield goroutineAt(g.address)
    yield* machineAt(read, g.m)
  }
  // They are in the list: one who reads it must see that they are dead.
  for (const address of dead) yield goroutineAt(address)
}

/** The data segments around the one with the list, as far as they take no more than a quarter of the room. */
function* variablesOf({ data, room }: Process, variable: number): Generator<AddressRange> {
  const sorted = [...data].sort((a, b) => a.start - b.start)
  const own = sorted.findIndex(({ start, end }) => variable >= start && variable < end)
  const neighbours = [sorted[own]!]
  for (let i = own; i > 0 && sorted[i - 1]!.end === sorted[i]!.start; i--) neighbours.push(sorted[i - 1]!)
  for (let i = own + 1; sorted[i]?.start === sorted[i - 1]!.end; i++) neighbours.push(sorted[i]!)
  let left = room / 4
  for (const segment of neighbours) {
    const size = segment.end - segment.start
    if (size <= left) {
      left -= size
      yield segment
    } else if (segment === neighbours[0]) yield { start: variable - around, end: variable + around }
  }
}

/** Those that ran, of the crashed thread first, and the first of all, which is main's. */
function mostTelling({ read, threads }: Process, goroutines: readonly Goroutine[]): readonly Goroutine[] {
  const crashed = threads[0] && currentOf(read, threads[0])
  const running = goroutines.filter(({ m }) => m !== 0)
  const isCrashed = ({ m }: Goroutine): boolean => m === crashed?.m
  const ordered = [...running.filter(isCrashed), ...running.filter(g => !isCrashed(g))]
  return [...ordered.slice(0, mostRunning), ...goroutines.slice(0, 1)]
}

/** The goroutine, perhaps g0 or gsignal, that a thread is on. */
function currentOf(read: ReadMemory, { slot, g }: ThreadPlace): Goroutine | undefined {
  if (slot === undefined) return g === undefined ? undefined : asGoroutine(readGoroutine(read, g))
  const bytes = Buffer.alloc(word)
  read(bytes, slot)
  return asGoroutine(readGoroutine(read, addressAt(bytes, 0)))
}

const asGoroutine = (found: Goroutine | 'dead' | undefined): Goroutine | undefined =>
  typeof found === 'object' ? found : undefined

const machinesOf = (goroutines: readonly Goroutine[]): Set<number> =>
  new Set(goroutines.map(({ m }) => m).filter(m => m !== 0))

/** `runtime.m`, and the goroutines of its own that it runs the scheduler and signal handlers on. */
function* machineAt(read: ReadMemory, address: number): Generator<AddressRange> {
  if (address < heapStart || address >= addressEnd) return
  yield { start: address, end: address + sizeOfM }
  for (const target of wordsAt(read, address, headOfM)) {
    const own = asGoroutine(readGoroutine(read, target))
    if (own?.m === address) yield goroutineAt(own.address)
  }
}

/** The stack of a goroutine that runs, from where its thread is, if that is on it: `sched.sp` is of another time then. */
function runningPart({ low, high, sp }: Goroutine, threads: readonly ThreadPlace[]): AddressRange {
  const pointers = [sp, ...threads.map(thread => thread.sp)].filter(at => at >= low && at < high)
  const from = pointers.length > 0 ? Math.min(...pointers) : low
  return { start: from, end: Math.min(high, from + runningStack) }
}

/** The panics of a goroutine, with their values and what these point to: the text. */
function* panicOf(read: ReadMemory, address: number): Generator<AddressRange> {
  const [panic] = wordsAt(read, address + 4 * word, 1)
  if (panic === undefined) return
  yield { start: panic, end: panic + 256 }
  for (const value of wordsAt(read, panic, 16)) {
    yield { start: value, end: value + 256 }
    for (const text of wordsAt(read, value, 4)) yield { start: text, end: text + 1024 }
  }
}

/** Of so many words at an address those that may be addresses themselves. */
function wordsAt(read: ReadMemory, address: number, count: number): number[] {
  const bytes = Buffer.alloc(count * word)
  read(bytes, address)
  const found: number[] = []
  for (let at = 0; at < bytes.length; at += word) {
    const target = addressAt(bytes, at)
    if (target >= heapStart && target < addressEnd) found.push(target)
  }
  return found
}

/** The stacks: the innermost frames of all first, then the frames below, then what is left. */
function* goStacks({ goroutines }: GoMemory): Generator<AddressRange> {
  const from = ({ low, high, sp }: Goroutine): number => (sp >= low && sp < high ? sp : low)
  for (const goroutine of goroutines) {
    const start = from(goroutine)
    yield { start, end: Math.min(goroutine.high, start + 2048) }
  }
  for (const goroutine of goroutines) {
    const start = from(goroutine)
    yield { start, end: Math.min(goroutine.high, start + mostKeptStack) }
    yield { start: Math.max(start, goroutine.high - pageSize), end: goroutine.high }
  }
}

/** What goroutines point to (sudogs, panics, defers, labels), then what their stacks do: the values of arguments. */
function* pointees(read: ReadMemory, goroutines: readonly Goroutine[]): Generator<AddressRange> {
  for (const { address } of goroutines)
    for (const target of wordsAt(read, address + 4 * word, 60)) yield { start: target, end: target + 256 }
  for (const { low, high, sp } of goroutines) {
    const from = sp >= low && sp < high ? sp : low
    for (const target of wordsAt(read, from, Math.floor(Math.min(high - from, 8192) / word)))
      if (target < low || target >= high) yield { start: target, end: target + 64 }
  }
}
