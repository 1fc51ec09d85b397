/** Which parts of a core storage did not keep, and what lay there: bit rot in one block costs that block, and is told so. */
import { FormatError, reasonOf } from '../base/errors.ts'
import { type ByteSource, openElf } from '../engine/index.ts'

/** Bytes `[start, end)` of the core, which can't be read for this reason. */
export interface DamagedPart {
  readonly start: number
  readonly end: number
  readonly reason: string
}

/** A block of ours: what lies in one is looked at where it is, and that of zeros again and again. */
const pieceSize = 1 << 20
/** Blocks of LZ4 frames are multiples of this (LZ4 frame format, block maximum size). */
const grain = 64 << 10

/** Reads all of a core, which compares the checksum of each block; yields bytes read so far, and each damaged part. */
export function* findDamage(source: ByteSource): Generator<number | DamagedPart> {
  for (let at = 0; at < source.size; at += pieceSize) {
    if (reasonAt(source, at, pieceSize) !== undefined) yield* partsOf(source, at)
    yield at
  }
}

function* partsOf(source: ByteSource, from: number): Generator<DamagedPart> {
  let open: { start: number; end: number; reason: string } | undefined
  const stop = Math.min(source.size, from + pieceSize)
  for (let at = from; at < stop; at += grain) {
    const reason = reasonAt(source, at, grain)
    if (open !== undefined && open.reason !== reason) {
      yield open
      open = undefined
    }
    if (reason === undefined) continue
    open ??= { start: at, end: at, reason }
    open.end = Math.min(stop, at + grain)
  }
  if (open !== undefined) yield open
}

function reasonAt(source: ByteSource, at: number, length: number): string | undefined {
  try {
    const wanted = Math.min(length, source.size - at)
    return source.read(at, wanted).length === wanted ? undefined : 'the file ends early'
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return reasonOf(error)
  }
}

const mostRanges = 4

/**
 * The memory that lay in a part of the core, as `addresses 0x… to 0x…`; undefined where it was none, or the headers that
 * would tell are damaged themselves.
 */
export function addressesIn(source: ByteSource, { start, end }: DamagedPart): string | undefined {
  let segments: ReturnType<typeof openElf>['segments']
  try {
    segments = openElf(source).segments
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    return undefined
  }
  const hex = (address: number): string => `0x${address.toString(16)}`
  const ranges = segments.flatMap(({ type, offset, filesz, vaddr }) => {
    const [low, high] = [Math.max(start, offset), Math.min(end, offset + filesz)]
    const isMemory = type === 1 && low < high && Number.isSafeInteger(vaddr)
    return isMemory ? [`${hex(vaddr + low - offset)} to ${hex(vaddr + high - offset)}`] : []
  })
  if (ranges.length === 0) return undefined
  const more = ranges.length > mostRanges ? ` and ${ranges.length - mostRanges} more` : ''
  return `addresses ${ranges.slice(0, mostRanges).join(', ')}${more}`
}
