/**
 * A goroutine's panics: the list that begins at `g._panic`, newest first, and the lines that `runtime.printpanics`
 * (runtime/panic.go) prints of it, oldest first. The runtime takes a panic off the list once it is recovered and the
 * frame it returned to is left, so what is on it at the end is what was printed.
 */
import { MemoryFault } from '../../base/errors.ts'
import type { TypeReader } from '../value/rtype.ts'
import { type PanicValue, readPanicValue } from './panic-value.ts'

/** Byte offsets of `runtime._panic`'s fields in this program. */
export interface PanicLayout {
  readonly arg: number
  readonly link: number
  readonly recovered: number
  readonly goexit: number
  /** Go 1.25 and later. */
  readonly repanicked?: number | undefined
}

export interface Panic {
  readonly addr: number
  readonly value: PanicValue
  readonly recovered: boolean
  readonly repanicked: boolean
  readonly goexit: boolean
  /** Its line on standard error, tabs and `[recovered]` included; absent where the runtime passes over it. */
  readonly line?: string
}

/** Longer chains are damage: a list that runs in a circle. */
const maxPanics = 128

/** Oldest first. `cut` tells that the list went on where it could not be read, or too far. */
export function readPanics(
  types: TypeReader,
  first: number,
  layout: PanicLayout,
  goMinor: number,
): { panics: Panic[]; cut: boolean } {
  const { memory } = types
  const found: Omit<Panic, 'line'>[] = []
  const seen = new Set<number>()
  let addr = first
  let cut = false
  try {
    for (; addr !== 0; addr = memory.word(addr + layout.link)) {
      if (seen.has(addr) || found.length >= maxPanics) {
        cut = true
        break
      }
      seen.add(addr)
      found.push({
        addr,
        value: readPanicValue(types, addr + layout.arg, goMinor),
        recovered: memory.u8(addr + layout.recovered) !== 0,
        repanicked: layout.repanicked !== undefined && memory.u8(addr + layout.repanicked) !== 0,
        goexit: memory.u8(addr + layout.goexit) !== 0,
      })
    }
  } catch (error) {
    if (!(error instanceof MemoryFault)) throw error
    cut = true
  }
  return { panics: withLines(found.reverse(), goMinor), cut }
}

/** printpanics, call by call: a tab goes before whatever follows a panic that was not Goexit. */
function withLines(panics: readonly Omit<Panic, 'line'>[], goMinor: number): Panic[] {
  let tabs = ''
  return panics.map((panic, i) => {
    const older = panics[i - 1]
    if (older?.repanicked) return panic
    if (older && !older.goexit) tabs += '\t'
    if (panic.goexit) return panic
    const line = `${tabs}panic: ${panic.value.text}${suffix(panic, goMinor)}`
    tabs = ''
    return { ...panic, line }
  })
}

/** Go 1.26 asks for `recovered` as well before it says `repanicked`. */
function suffix(panic: Pick<Panic, 'recovered' | 'repanicked'>, goMinor: number): string {
  if (panic.repanicked && (panic.recovered || goMinor < 26)) return ' [recovered, repanicked]'
  return panic.recovered ? ' [recovered]' : ''
}
