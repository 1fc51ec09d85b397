/**
 * Damage: bits flipped, numbers made extreme or one off, what the parsers compare with put in, ranges copied, zeroed, doubled
 * and cut out; and damage made of damage.
 */
import type { ByteSource } from '../../src/engine/bytes/byte-source.ts'
import { type Damage, type Edit, withEdit } from './damage.ts'
import { pick, type Random } from './random.ts'

/** `[start, end)` of the parts where damage tells. */
export type Range = readonly [start: number, end: number]

/** What there is to mutate with. */
export interface Tools {
  readonly random: Random
  readonly source: ByteSource
  /** Where damage tells; all of it where it is empty. */
  readonly hot: readonly Range[]
  /** Where a parser was seen to look. */
  readonly seen: readonly Range[]
  /** Numbers and texts that the parsers know. */
  readonly words: readonly Uint8Array[]
  /** Damage that led somewhere, of the same seed. */
  readonly others: readonly Damage[]
}

/** Numbers that lengths and offsets go wrong with. */
const extremes = [
  0n,
  1n,
  0x7fn,
  0x80n,
  0xffffn,
  0x7fffffffn,
  0x80000000n,
  0xffffffffn,
  0x100000000n,
  1n << 40n,
  (1n << 47n) - 8n,
  1n << 53n,
  (1n << 63n) - 1n,
  (1n << 64n) - 1n,
]

/** Texts that numbers, names and lines go wrong with. */
const texts = [
  '\0',
  '\n',
  '"',
  '\\',
  '\\u0000',
  '\x1b[31m',
  '\u202e',
  '\ud800',
  '../',
  '-1',
  '1e999',
  '18446744073709551616',
  '0x',
  '{',
  ']',
  '%s',
  '$(id)',
].map(text => new Uint8Array(Buffer.from(text)))

const mostEdits = 24

/** The damage with one to eight changes. */
export function mutate(damage: Damage, tools: Tools): Damage {
  let { edits } = damage
  for (let count = 1 << tools.random(4); count > 0; count--) edits = change(edits, tools)
  return { seed: damage.seed, edits: edits.slice(0, mostEdits) }
}

function change(edits: readonly Edit[], tools: Tools): readonly Edit[] {
  const { random, others } = tools
  const kind = edits.length === 0 ? 0 : random(20)
  if (kind < 12) return withEdit(edits, newEdit(placeNear(edits, tools), tools))
  const at = random(edits.length)
  const without = edits.filter((_, i) => i !== at)
  const edit = edits[at]!
  if (kind < 14) return without
  if (kind < 16) return withEdit(without, { ...edit, at: place(tools) })
  if (kind < 18 || others.length === 0) return withEdit(without, otherBytes(edit, tools))
  let both = edits
  for (const other of pick(others, random).edits) if (random(3) > 0) both = withEdit(both, other)
  return both
}

/** Where the last damage was, its neighbours are worth a look, too. */
function placeNear(edits: readonly Edit[], tools: Tools): number {
  const { random, source } = tools
  if (edits.length === 0 || random(4) > 0) return place(tools)
  const { at, remove } = pick(edits, random)
  return Math.min(Math.max(0, source.size - 1), Math.max(0, at + remove + random(80) - 16))
}

function place({ random, source, hot, seen }: Tools): number {
  const kind = random(8)
  const ranges = kind < 3 && seen.length > 0 ? seen : kind < 7 ? hot : []
  if (ranges.length === 0) return random(Math.max(1, source.size))
  const [start, end] = pick(ranges, random)
  return start + random(Math.max(1, end - start))
}

function newEdit(at: number, tools: Tools): Edit {
  const { random, source, words } = tools
  const put = (insert: Uint8Array): Edit => ({ at, remove: insert.length, insert })
  switch (random(16)) {
    case 0:
    case 1:
    case 2:
      return put(Uint8Array.of((source.read(at, 1)[0] ?? 0) ^ (1 << random(8))))
    case 3:
    case 4:
      return put(Uint8Array.of(random(256)))
    case 5:
    case 6:
      return put(number(pick(extremes, random), random))
    case 7:
    case 8:
      return put(oneOff(source, at, random))
    case 9:
    case 10: {
      const word = words.length > 0 ? pick(words, random) : pick(texts, random)
      return random(2) === 0 ? put(word) : { at, remove: 0, insert: word }
    }
    case 11:
      return put(copyOf(source, random(source.size), 1 + random(64)))
    case 12:
      return put(new Uint8Array(1 + random(random(4) === 0 ? 4096 : 64)))
    case 13:
      return { at, remove: 1 + random(random(4) === 0 ? 4096 : 16), insert: new Uint8Array(0) }
    case 14: {
      const insert = random(2) === 0 ? pick(texts, random) : copyOf(source, at, 1 + random(256))
      return { at, remove: 0, insert }
    }
    default:
      // Cut off, which ends whatever is tried after it.
      return random(4) === 0
        ? { at, remove: source.size - at, insert: new Uint8Array(0) }
        : put(copyOf(source, random(source.size), 1 + random(4096)))
  }
}

function otherBytes(edit: Edit, { random }: Tools): Edit {
  if (edit.insert.length === 0) return { ...edit, remove: Math.max(0, edit.remove + random(33) - 16) }
  const insert = new Uint8Array(edit.insert)
  const at = random(insert.length)
  if (random(2) === 0) insert[at]! ^= 1 << random(8)
  else insert[at] = random(256)
  return { ...edit, insert }
}

const copyOf = (source: ByteSource, at: number, length: number): Uint8Array =>
  new Uint8Array(source.read(at, length))

const widths = [1, 2, 4, 8, 8]

function number(value: bigint, random: Random): Uint8Array {
  const view = new DataView(new ArrayBuffer(8))
  const width = pick(widths, random)
  const isLittle = random(8) !== 0
  view.setBigUint64(0, value, isLittle)
  return new Uint8Array(view.buffer, isLittle ? 0 : 8 - width, width)
}

/** The number that is there, a little larger or smaller. */
function oneOff(source: ByteSource, at: number, random: Random): Uint8Array {
  const width = pick(widths, random)
  const isLittle = random(8) !== 0
  const bytes = new Uint8Array(8)
  bytes.set(source.read(at, width), isLittle ? 0 : 8 - width)
  const value = new DataView(bytes.buffer).getBigUint64(0, isLittle)
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, BigInt.asUintN(64, value + BigInt(random(71) - 35)), isLittle)
  return new Uint8Array(view.buffer, isLittle ? 0 : 8 - width, width)
}
