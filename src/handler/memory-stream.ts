/**
 * The content of a core read from the process itself, in the place of the kernel's stream: through a pipe the kernel
 * sends every page that was never touched as 4096 zeros, so that a process of 4 GB that used 100 MB is held for seconds.
 * The program headers, which come first in the stream, say which memory lies where in the file.
 */
import type { CoreSegment } from './core-size.ts'
import type { AddressRange } from './proc-text.ts'
import { type ProcessMemory, pageSize } from './process-memory.ts'

/** Bytes of the file that were touched, from `offset` to `end`, which lie in memory at `address`. */
interface Run {
  readonly offset: number
  readonly end: number
  readonly address: number
}

/** For a smaller core the stream is as fast. */
const leastSize = 8 << 20
/** Of the core, at most: where more was touched, the kernel copies on one processor while another compresses. */
const mostTouched = 1 / 3
const mostRuns = 1 << 19

export class MemoryStream {
  readonly #memory: ProcessMemory
  readonly #runs: readonly Run[]
  readonly #end: number
  #next = 0
  /** Where in the core file the next byte belongs. */
  position: number
  /** Pages so far that were in use, could not be read and are zeros. */
  unread = 0

  constructor(memory: ProcessMemory, runs: readonly Run[], position: number, end: number) {
    this.#memory = memory
    this.#runs = runs
    this.position = position
    this.#end = end
  }

  /** As much as there is room for in `buffer` from `at`; 0 at the end. Throws MemoryGone where the process has ended. */
  read(buffer: Buffer, at: number): number {
    const length = Math.min(buffer.length - at, this.#end - this.position)
    for (let done = 0; done < length; ) {
      const run = this.#current()
      const here = this.position + done
      const from = run?.offset ?? this.#end
      const until = Math.min(length, (here < from ? from : run!.end) - this.position)
      const part = buffer.subarray(at + done, at + until)
      if (here < from) part.fill(0)
      else this.unread += this.#memory.read(part, run!.address + (here - from))
      done = until
      if (run !== undefined && this.position + done >= run.end) this.#next++
    }
    this.position += length
    return length
  }

  get ended(): boolean {
    return this.position === this.#end
  }

  /** Passes over whole blocks of zeros, up to `most` of the core; answers their number. The last byte is never among them. */
  skipZeros(blockSize: number, most: number): number {
    const zeros = Math.min(this.#current()?.offset ?? this.#end, this.#end - 1, most) - this.position
    const blocks = Math.max(0, Math.floor(zeros / blockSize))
    this.position += blocks * blockSize
    return blocks
  }

  close(): void {
    this.#memory.close()
  }

  #current(): Run | undefined {
    return this.#runs[this.#next]
  }
}

/**
 * The stream from file offset `position` on, for a core of which little was touched; undefined where the kernel's own
 * is as good. `anonymous` names the private mappings without a file, in order: of them alone an untouched page is known
 * to be zeros.
 */
export function openMemoryStream(
  open: () => ProcessMemory,
  segments: readonly CoreSegment[],
  anonymous: readonly AddressRange[],
  position: number,
): MemoryStream | undefined {
  const end = segments.at(-1)?.end ?? 0
  if (end - position < leastSize || !areAdjacent(segments)) return undefined
  const memory = open()
  const runs = findRuns(memory, segments, anonymous, (end - position) * mostTouched)
  if (runs === undefined) {
    memory.close()
    return undefined
  }
  return new MemoryStream(memory, behind(position, runs), position, end)
}

/** What was touched, in the file's order; undefined where it is more than `most` bytes. */
function findRuns(
  memory: ProcessMemory,
  segments: readonly CoreSegment[],
  anonymous: readonly AddressRange[],
  most: number,
): Run[] | undefined {
  const runs: Run[] = []
  let left = most
  const add = (run: Run): boolean => {
    left -= run.end - run.offset
    runs.push(run)
    return left > 0 && runs.length < mostRuns
  }
  const ranges = new Map(anonymous.map(range => [range.start, range]))
  for (const { offset, end, address } of segments) {
    const stop = address + (end - offset)
    const isAnonymous = stop <= (ranges.get(address)?.end ?? 0)
    const going = isAnonymous
      ? memory.touched(address, stop, (start, stop) =>
          add({ offset: offset + (start - address), end: offset + (stop - address), address: start }),
        )
      : !memory.isForeign(address, stop) && add({ offset, end, address })
    if (!going) return undefined
  }
  return runs
}

/** The kernel writes its segments in pages, one behind the other. */
const areAdjacent = (segments: readonly CoreSegment[]): boolean =>
  segments.every(
    ({ offset, end }, i) =>
      offset % pageSize === 0 && end % pageSize === 0 && (i === 0 || segments[i - 1]!.end === offset),
  )

/** The runs without what lies before `position`, which may be within one. */
const behind = (position: number, runs: readonly Run[]): Run[] =>
  runs
    .filter(({ end }) => end > position)
    .map(({ offset, end, address }) => {
      const cut = Math.max(0, position - offset)
      return { offset: offset + cut, end, address: address + cut }
    })
