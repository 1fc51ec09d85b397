/**
 * `runtime.allgs`, without a symbol for it: among the program's variables, the slice whose elements are g's. A g is
 * told by its own address in `g.sched.g`, which newproc1 and the like set in every Go version, and by a stack
 * that its saved stack pointer lies in.
 */
import type { Memory, Region } from '../core/memory.ts'
import { halves, type ModuleData, readable } from '../gosym/index.ts'
import type { RuntimeLayout } from './layouts/layout.ts'

/** Goroutines that are looked at before a slice is believed: so many of the first, and so many between them and the last. */
const sample = { first: 16, spread: 16 }
/** Of them in a core that lacks others. */
const fewest = 4
const maxGoroutines = 1 << 24
const chunkSize = 1 << 20

export interface GoroutineList {
  /** Addresses of the g's. */
  readonly addrs: Float64Array
  /** Whether by the runtime's own list, or by looking at all memory. */
  readonly source: 'allgs' | 'memory'
}

/** Whether the core has what is needed of a g at `addr`. */
export const hasG = (memory: Memory, layout: RuntimeLayout, addr: number): boolean =>
  memory.has(addr, layout.at('g.startpc') + memory.ptrSize)

/** Whether a g can be at `addr`. */
export function isG(memory: Memory, layout: RuntimeLayout, addr: number): boolean {
  const sched = addr + layout.at('g.sched')
  if (!(addr > 0) || addr % memory.ptrSize !== 0 || !hasG(memory, layout, addr)) return false
  if (memory.word(sched + layout.at('gobuf.g')) !== addr) return false
  const [low, high] = [memory.word(addr), memory.word(addr + memory.ptrSize)]
  const sp = memory.word(sched)
  return low <= high && (sp === 0 || low === 0 || (sp >= low && sp <= high))
}

/** Searches the program's variables: those with pointers first, then all data. */
export function findAllgs(
  memory: Memory,
  layout: RuntimeLayout,
  modules: readonly ModuleData[],
): GoroutineList | undefined {
  let best: { ptr: number; len: number } | undefined
  // Of a core that was cut some are not there.
  const isElement = (addr: number): boolean | undefined =>
    hasG(memory, layout, addr) || !(addr > 0) || addr % memory.ptrSize !== 0
      ? isG(memory, layout, addr)
      : undefined
  for (const module of modules) {
    for (const [start, end] of [
      [module.bss, module.ebss],
      [module.data, module.edata],
      [module.noptrbss, module.enoptrbss],
    ] as const) {
      for (const slice of scanSlices(memory, start, end, isElement))
        if (!best || slice.len > best.len) best = slice
      if (best) return { addrs: readAddrs(memory, best.ptr, best.len), source: 'allgs' }
    }
  }
  return undefined
}

/** Memory that is looked at for g's where there is no list of them. */
const maxSearch = 2 * 2 ** 30

/**
 * Where the list is lost (a cut core, damaged data): every place in the core's memory that looks like a g, by address.
 * Those of dead goroutines are among them.
 */
export function searchForGs(
  memory: Memory,
  layout: RuntimeLayout,
  regions: readonly Region[],
): GoroutineList | undefined {
  const selfAt = layout.at('g.sched') + layout.at('gobuf.g')
  const found: number[] = []
  let searched = 0
  for (const { start, end, origin } of regions) {
    if (origin !== 'core' || searched > maxSearch) continue
    searched += end - start
    for (const at of scanSelfPointers(memory, start, end, selfAt)) {
      if (found.length >= maxGoroutines) break
      // A stack of its own is asked for, too: a damaged word may equal its place by chance.
      if (
        isG(memory, layout, at) &&
        memory.word(at) !== 0 &&
        memory.u32(at + layout.at('g.stackguard0')) !== 0
      )
        found.push(at)
    }
  }
  return found.length > 0 ? { addrs: Float64Array.from(found), source: 'memory' } : undefined
}

/** Addresses `a` in `[start, end)` at which the word at `a + offset` is `a`. */
function* scanSelfPointers(memory: Memory, start: number, end: number, offset: number): Generator<number> {
  const { ptrSize, littleEndian } = memory
  if (!(end <= Number.MAX_SAFE_INTEGER)) return
  for (let base = start; base < end; base += chunkSize) {
    const bytes = readable(memory, base, Math.min(chunkSize, end - base))
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at + ptrSize <= bytes.length; at += ptrSize) {
      const addr = base + at - offset
      const low = view.getUint32(ptrSize === 8 && !littleEndian ? at + 4 : at, littleEndian)
      if (low !== addr % 0x100000000) continue
      const high = ptrSize === 8 ? view.getUint32(littleEndian ? at + 4 : at, littleEndian) : 0
      if (high === Math.floor(addr / 0x100000000)) yield addr
    }
  }
}

/**
 * Slices of pointers in `[start, end)`: three words (array, len, cap) of whose elements none fails `isElement`, which answers
 * undefined for what the core doesn't hold; a few at least must pass.
 */
export function* scanSlices(
  memory: Memory,
  start: number,
  end: number,
  isElement: (addr: number, index: number) => boolean | undefined,
): Generator<{ ptr: number; len: number }> {
  const { ptrSize, littleEndian } = memory
  if (!(end > start && end <= Number.MAX_SAFE_INTEGER) || end - start > 1 << 30) return
  for (let base = start; base < end; base += chunkSize) {
    // Two words more, so that a slice across two chunks is seen.
    const bytes = readable(memory, base, Math.min(chunkSize + 2 * ptrSize, end - base))
    const { at32, low, high } = halves(bytes, ptrSize, littleEndian)
    const step = ptrSize / 4
    for (let i = 0; i + 3 * step <= at32.length; i += step) {
      // The length first: of most words it is out of range.
      const len = at32[i + step + low]!
      if (len === 0 || len > maxGoroutines || (step === 2 && at32[i + step + high] !== 0)) continue
      const cap = at32[i + 2 * step + low]!
      if (cap < len || cap > 2 * maxGoroutines || (step === 2 && at32[i + 2 * step + high] !== 0)) continue
      const ptr = at32[i + low]! + (step === 2 ? at32[i + high]! * 0x100000000 : 0)
      if (ptr === 0 || ptr % ptrSize !== 0) continue
      if (allElements(memory, ptr, len, isElement)) yield { ptr, len }
    }
  }
}

function allElements(
  memory: Memory,
  ptr: number,
  len: number,
  isElement: (addr: number, index: number) => boolean | undefined,
): boolean {
  let passed = 0
  for (const index of sampleOf(len)) {
    const at = ptr + index * memory.ptrSize
    if (!memory.has(at, memory.ptrSize)) return false
    const verdict = isElement(memory.word(at), index)
    if (verdict === false) return false
    if (verdict) passed++
  }
  return passed >= Math.min(len, fewest)
}

/** The first, and others spread over the whole slice, the last among them. */
function* sampleOf(len: number): Generator<number> {
  const { first, spread } = sample
  for (let i = 0; i < Math.min(len, first); i++) yield i
  const rest = len - first
  const count = Math.min(rest, spread)
  for (let i = 1; i <= count; i++) yield first - 1 + Math.floor((i * rest) / count)
}

/** The elements that are there; a hole in a damaged core leaves some out. */
export function readAddrs(memory: Memory, ptr: number, len: number): Float64Array {
  const addrs = new Float64Array(len)
  let count = 0
  for (let i = 0; i < len; i++) {
    const at = ptr + i * memory.ptrSize
    if (!memory.has(at, memory.ptrSize)) continue
    const addr = memory.word(at)
    if (addr !== 0 && Number.isFinite(addr)) addrs[count++] = addr
  }
  return addrs.subarray(0, count)
}
