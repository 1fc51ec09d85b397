/**
 * Slices of pointers among the program's variables, without symbols for them: three words (array, len, cap) that can be
 * one. Whoever looks for a certain one knows what its elements are like, in each Go version otherwise; the words are looked
 * through once.
 */
import type { Memory } from '../core/memory.ts'
import { halves, pieces } from '../core/scan.ts'
import type { ModuleData } from '../gosym/index.ts'

export interface Slice {
  readonly ptr: number
  readonly len: number
}

/** The slices in the variables of a module; each part is looked through when it is first asked for. */
export interface DataSlices {
  readonly bss: () => readonly Slice[]
  readonly data: () => readonly Slice[]
  readonly noptrbss: () => readonly Slice[]
}

/** Elements that are looked at before a slice is believed: so many of the first, and so many between them and the last. */
const sample = { first: 16, spread: 16 }
/** Of them in a core that lacks others. */
const fewest = 4
const mostElements = 1 << 24
const mostSlices = 1 << 20
const mostBytes = 1 << 30

export function dataSlices(memory: Memory, module: ModuleData): DataSlices {
  const part = (start: number, end: number): (() => readonly Slice[]) => {
    let found: readonly Slice[] | undefined
    return () => {
      found ??= slicesIn(memory, start, end)
      return found
    }
  }
  return {
    bss: part(module.bss, module.ebss),
    data: part(module.data, module.edata),
    noptrbss: part(module.noptrbss, module.enoptrbss),
  }
}

function slicesIn(memory: Memory, start: number, end: number): Slice[] {
  const { ptrSize, littleEndian } = memory
  const slices: Slice[] = []
  if (!(end > start && end <= Number.MAX_SAFE_INTEGER) || end - start > mostBytes) return slices
  // Two words more, so that a slice across two pieces is seen.
  for (const { bytes } of pieces(memory, start, end, 2 * ptrSize)) {
    const { at32, low, high } = halves(bytes, ptrSize, littleEndian)
    const step = ptrSize / 4
    for (let i = 0; i + 3 * step <= at32.length; i += step) {
      // The length first: of most words it is out of range.
      const len = at32[i + step + low]!
      if (len === 0 || len > mostElements || (step === 2 && at32[i + step + high] !== 0)) continue
      const cap = at32[i + 2 * step + low]!
      if (cap < len || cap > 2 * mostElements || (step === 2 && at32[i + 2 * step + high] !== 0)) continue
      const ptr = at32[i + low]! + (step === 2 ? at32[i + high]! * 0x100000000 : 0)
      if (ptr === 0 || ptr % ptrSize !== 0 || !memory.has(ptr, ptrSize)) continue
      if (slices.push({ ptr, len }) === mostSlices) return slices
    }
  }
  return slices
}

/**
 * The longest slice of which no element fails `isElement`, which answers undefined for what the core doesn't hold; a few at
 * least must pass.
 */
export function longest(
  memory: Memory,
  slices: readonly Slice[],
  isElement: (addr: number, index: number) => boolean | undefined,
): Slice | undefined {
  let best: Slice | undefined
  for (const slice of slices)
    if (slice.len > (best?.len ?? 0) && allElements(memory, slice, isElement)) best = slice
  return best
}

function allElements(
  memory: Memory,
  { ptr, len }: Slice,
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
