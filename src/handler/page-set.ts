/**
 * Pages of a process's memory that are chosen, in the order of need, as many as there is room for. They are kept as runs, since
 * each run needs a program header, and since a segment may have terabytes of which nobody ever touched more than a page.
 */
import type { CoreSegment } from './core-size.ts'
import { pageSize } from './process-memory.ts'

/** Of an Elf64_Phdr. */
export const programSize = 56
/** Runs that are chosen, each of which needs a header; the others may lie between them. */
const mostRuns = 16_384

/** Pages `[start, end)` of a segment, counted from its beginning. */
interface Run {
  start: number
  end: number
}

/** Addresses `[start, end)`. */
export interface PageRun {
  readonly start: number
  readonly end: number
  readonly isChosen: boolean
}

const sizeOf = ({ offset, end }: CoreSegment): number => end - offset

export class PageSet {
  /** By address, for the search. */
  readonly #segments: readonly CoreSegment[]
  readonly #byOffset: ReadonlyMap<number, CoreSegment>
  /** In order, and no two of them touch. */
  readonly #chosen = new Map<CoreSegment, Run[]>()
  #left: number
  #count = 0

  /** `most` bytes of pages, and of headers for their runs. */
  constructor(segments: readonly CoreSegment[], most: number) {
    this.#segments = [...segments].sort((a, b) => a.address - b.address)
    this.#byOffset = new Map(segments.map(segment => [segment.offset, segment]))
    this.#left = most
  }

  get isFull(): boolean {
    return this.#left < pageSize
  }

  /** Bytes that there is room for. */
  get room(): number {
    return Math.max(0, this.#left)
  }

  /** Chooses the pages of the addresses `[start, end)`, up to the first that is in no segment. */
  add(start: number, end: number): void {
    for (let at = start; at < end && !this.isFull; ) {
      const segment = this.#segmentAt(at)
      if (segment === undefined) return
      const stop = Math.min(end, segment.address + sizeOf(segment))
      const page = (address: number): number => (address - segment.address) / pageSize
      this.#choose(segment, Math.floor(page(at)), Math.ceil(page(stop)))
      at = stop
    }
  }

  /** Runs of pages of the segment that begins at `offset` of the core, in their order: of chosen ones, and of the others. */
  runs(offset: number): PageRun[] {
    const segment = this.#byOffset.get(offset)
    const runs: PageRun[] = []
    if (segment === undefined) return runs
    const { address } = segment
    const last = address + sizeOf(segment)
    let at = address
    for (const chosen of this.#chosen.get(segment) ?? []) {
      const start = address + chosen.start * pageSize
      const end = Math.min(address + chosen.end * pageSize, last)
      if (start > at) runs.push({ start: at, end: start, isChosen: false })
      runs.push({ start, end, isChosen: true })
      at = end
    }
    if (at < last) runs.push({ start: at, end: last, isChosen: false })
    return runs
  }

  #choose(segment: CoreSegment, from: number, to: number): void {
    let runs = this.#chosen.get(segment)
    if (runs === undefined) {
      runs = []
      this.#chosen.set(segment, runs)
    }
    for (let page = from; page < to && !this.isFull; ) {
      const index = firstEndingAt(runs, page)
      const run = runs[index]
      if (run !== undefined && run.start <= page) {
        page = run.end > page ? run.end : page + this.#extend(runs, index, to - page)
        continue
      }
      const gap = Math.min(to, run?.start ?? to) - page
      const pages = this.#fitting(gap)
      if (run?.start === page + pages) {
        this.#left -= pages * pageSize
        run.start = page
      } else if (this.#count < mostRuns) {
        runs.splice(index, 0, { start: page, end: page + pages })
        this.#left -= pages * pageSize + programSize
        this.#count++
      } else page += gap
    }
  }

  /** Gives the run at `index` up to `most` pages more, as far as the next one, with which it may become one; answers how many. */
  #extend(runs: Run[], index: number, most: number): number {
    const [run, next] = [runs[index]!, runs[index + 1]]
    const pages = this.#fitting(Math.min(most, (next?.start ?? Number.POSITIVE_INFINITY) - run.end))
    this.#left -= pages * pageSize
    run.end += pages
    if (next?.start === run.end) {
      run.end = next.end
      runs.splice(index + 1, 1)
      this.#left += programSize
      this.#count--
    }
    return pages
  }

  #fitting(pages: number): number {
    return Math.min(pages, Math.floor(this.#left / pageSize))
  }

  #segmentAt(address: number): CoreSegment | undefined {
    let low = 0
    let high = this.#segments.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const segment = this.#segments[middle]!
      if (address < segment.address) high = middle - 1
      else if (address >= segment.address + sizeOf(segment)) low = middle + 1
      else return segment
    }
    return undefined
  }
}

/** The index of the first run that ends at `page` or behind it. */
function firstEndingAt(runs: readonly Run[], page: number): number {
  let low = 0
  let high = runs.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (runs[middle]!.end < page) low = middle + 1
    else high = middle
  }
  return low
}
