/**
 * The call frame tables of one loaded file: which FDE covers an address. `.eh_frame_hdr` has a sorted table for a binary
 * search (LSB 5.0 core 10.6.2); without it the section is read once from its start and indexed.
 */
import { FormatError, MemoryFault } from '../../base/errors.ts'
import { Pe } from './constants.ts'
import { type Fde, type FrameFlavour, type FrameSource, readEntry } from './frame-entry.ts'

export interface FrameTable {
  /** The FDE that covers `pc`; undefined where none does or the table is damaged there. */
  find(pc: number): Fde | undefined
}

/** More FDEs than any library has; a scan of a damaged table must end. */
const maxEntries = 1 << 20

/** A table reached through PT_GNU_EH_FRAME at `hdr`. */
export function openEhFrameHdr(source: FrameSource, hdr: number): FrameTable | undefined {
  return guarded(() => {
    const reader = source(hdr, 64)
    if (reader.u8() !== 1) return undefined
    const [framePtr, countEnc, tableEnc] = [reader.u8(), reader.u8(), reader.u8()]
    const frame = reader.pointer(framePtr, { data: hdr })
    const count = countEnc === Pe.omit ? 0 : reader.pointer(countEnc, { data: hdr })
    const table = reader.addr
    // The only encoding that linkers write: pairs of 32-bit offsets from the header.
    if (tableEnc !== (Pe.datarel | Pe.sdata4) || count <= 0)
      return frame ? scanned(source, frame, 'eh_frame') : undefined
    return {
      find: pc =>
        guarded(() => searchHdr(source, { hdr, frame, table, count: Math.min(count, maxEntries) }, pc)),
    }
  })
}

function searchHdr(
  source: FrameSource,
  { hdr, frame, table, count }: { hdr: number; frame: number; table: number; count: number },
  pc: number,
): Fde | undefined {
  let [low, high] = [0, count]
  while (low + 1 < high) {
    const middle = (low + high) >>> 1
    if (hdr + source(table + middle * 8, 8).i32() <= pc) low = middle
    else high = middle
  }
  const row = source(table + low * 8, 8)
  if (hdr + row.i32() > pc) return undefined
  const { fde } = readEntry(source, hdr + row.i32(), 'eh_frame', frame) ?? {}
  return fde && pc >= fde.start && pc < fde.end ? fde : undefined
}

/** A table without an index, from `start` on: the end is an empty entry or the end of the bytes. */
export function scanned(source: FrameSource, start: number, flavour: FrameFlavour): FrameTable {
  let index: { start: number; end: number; addr: number }[] | undefined
  const build = (): NonNullable<typeof index> => {
    const entries: NonNullable<typeof index> = []
    guarded(() => {
      for (let addr = start, n = 0; n < maxEntries; n++) {
        const entry = readEntry(source, addr, flavour, start)
        if (!entry) return
        if (entry.fde) entries.push({ start: entry.fde.start, end: entry.fde.end, addr })
        addr = entry.next
      }
    })
    return entries.sort((a, b) => a.start - b.start)
  }
  return {
    find(pc) {
      index ??= build()
      let [low, high] = [0, index.length]
      while (low < high) {
        const middle = (low + high) >>> 1
        if (index[middle]!.start <= pc) low = middle + 1
        else high = middle
      }
      const hit = index[low - 1]
      if (!hit || pc >= hit.end) return undefined
      return guarded(() => readEntry(source, hit.addr, flavour, start)?.fde)
    },
  }
}

/** Damage in a table means that it does not answer, not that the report fails. */
function guarded<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch (error) {
    if (error instanceof FormatError || error instanceof MemoryFault) return undefined
    throw error
  }
}
