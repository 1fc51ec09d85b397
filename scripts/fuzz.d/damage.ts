/**
 * What is done to an input, as data: a seed's name and the edits. So a find of the fuzzer is a line of text that can be kept,
 * repeated and read, even where the input is a core of 40 MB.
 *
 *     {"seed":"indexed","edits":[[16,4,"ffffffff"],[900,0,"00"]]}
 */
import type { ByteSource } from '../../src/engine/bytes/byte-source.ts'

/** `insert` in the place of the seed's bytes [at, at + remove). */
export interface Edit {
  readonly at: number
  readonly remove: number
  readonly insert: Uint8Array
}

export interface Damage {
  /** Name of the seed's source. */
  readonly seed: string
  /** In the order of their places, which do not overlap. */
  readonly edits: readonly Edit[]
}

/** The edits with one more, which takes the place of those that it overlaps. */
export function withEdit(edits: readonly Edit[], edit: Edit): Edit[] {
  const others = edits.filter(other => !overlap(other, edit))
  return [...others, edit].sort((a, b) => a.at - b.at)
}

/** Two that begin at the same place do so, too: their order would not be told. */
function overlap(a: Edit, b: Edit): boolean {
  return a.at === b.at || (a.at < b.at + b.remove && b.at < a.at + a.remove)
}

interface Part {
  /** Where it begins in the result. */
  readonly start: number
  readonly length: number
  /** Where it begins in the seed, or the bytes themselves. */
  readonly from: number | Uint8Array
}

/** The seed with the edits. Reads of what is untouched cost nothing. */
export function applyEdits(source: ByteSource, edits: readonly Edit[]): ByteSource {
  const parts = partsOf(source.size, edits)
  const last = parts.at(-1)
  const size = last === undefined ? 0 : last.start + last.length
  return {
    name: source.name,
    size,
    read(offset, length) {
      const end = Math.min(size, offset + length)
      if (!(offset >= 0 && offset < end)) return new Uint8Array(0)
      const pieces: Uint8Array[] = []
      for (let i = partAt(parts, offset); i < parts.length && parts[i]!.start < end; i++) {
        const { start, length: whole, from } = parts[i]!
        const skip = Math.max(0, offset - start)
        const take = Math.min(whole, end - start) - skip
        pieces.push(
          typeof from === 'number' ? source.read(from + skip, take) : from.subarray(skip, skip + take),
        )
      }
      return pieces.length === 1 ? pieces[0]! : new Uint8Array(Buffer.concat(pieces))
    },
  }
}

function partsOf(size: number, edits: readonly Edit[]): Part[] {
  const parts: Part[] = []
  let start = 0
  const add = (length: number, from: Part['from']): void => {
    if (length <= 0) return
    parts.push({ start, length, from })
    start += length
  }
  let at = 0
  for (const edit of edits) {
    add(edit.at - at, at)
    add(edit.insert.length, edit.insert)
    at = Math.max(at, edit.at + edit.remove)
  }
  add(size - at, at)
  return parts
}

/** The part that holds the offset, which is within the whole. */
function partAt(parts: readonly Part[], offset: number): number {
  let low = 0
  let high = parts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (parts[middle]!.start <= offset) low = middle
    else high = middle - 1
  }
  return low
}

export const formatDamage = ({ seed, edits }: Damage): string =>
  JSON.stringify({
    seed,
    edits: edits.map(({ at, remove, insert }) => [at, remove, Buffer.from(insert).toString('hex')]),
  })

export function parseDamage(line: string): Damage {
  const { seed, edits } = JSON.parse(line) as { seed: string; edits: [number, number, string][] }
  return {
    seed,
    edits: edits.map(([at, remove, hex]) => ({
      ...{ at, remove },
      insert: new Uint8Array(Buffer.from(hex, 'hex')),
    })),
  }
}
