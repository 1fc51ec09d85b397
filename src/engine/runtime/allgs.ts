/**
 * `runtime.allgs`, without a symbol for it: among the program's variables, the slice whose elements are g's. A g is
 * told by its own address in `g.sched.g`, which newproc1 and the like set in every Go version, and by a stack
 * that its saved stack pointer lies in.
 */
import type { Memory, Region } from '../core/memory.ts'
import { pieces } from '../core/scan.ts'
import { type DataSlices, longest, readAddrs } from './data-slices.ts'
import type { RuntimeLayout } from './layouts/layout.ts'

const maxGoroutines = 1 << 24

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
  variables: readonly DataSlices[],
): GoroutineList | undefined {
  // Of a core that was cut some are not there.
  const isElement = (addr: number): boolean | undefined =>
    hasG(memory, layout, addr) || !(addr > 0) || addr % memory.ptrSize !== 0
      ? isG(memory, layout, addr)
      : undefined
  for (const { bss, data, noptrbss } of variables)
    for (const slices of [bss(), data(), noptrbss()]) {
      const best = longest(memory, slices, isElement)
      if (best) return { addrs: readAddrs(memory, best.ptr, best.len), source: 'allgs' }
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
  for (const { base, bytes } of pieces(memory, start, end)) {
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
