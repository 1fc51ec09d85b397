/**
 * The index of `.debug_info`: which entries have a name, an address, a runtime type. It holds numbers only (a name's
 * hash, an entry's id), so it is small, is written and read as it lies in memory, and tells nothing that the
 * entries themselves are not asked to confirm.
 */
import { crc32 } from 'node:zlib'

export const tableNames = [
  'functions',
  'globals',
  'types',
  'constants',
  'enumerators',
  'packages',
  'code',
  'descriptors',
  'typedConstants',
] as const
export type TableName = (typeof tableNames)[number]

/** `GSDI` and the version of the layout below; a file of another is built again. */
const magic = 0x49445347
const version = 5
const headerWords = 18

/** Pairs of a 32-bit key and an entry's id, sorted by both. */
export class KeyTable {
  /** Key and id in turn, in the order of the machine's 64-bit numbers. */
  readonly #words: Uint32Array

  constructor(words: Uint32Array) {
    this.#words = words
  }

  get length(): number {
    return this.#words.length / 2
  }

  keyAt(index: number): number {
    return this.#words[index * 2 + highWord]!
  }

  idAt(index: number): number {
    return this.#words[index * 2 + lowWord]!
  }

  /** Position of the first pair whose key is not below `key`. */
  lowerBound(key: number): number {
    let [low, high] = [0, this.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.keyAt(middle) < key) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Ids of the entries with this key. */
  *find(key: number): Generator<number> {
    for (let i = this.lowerBound(key); i < this.length && this.keyAt(i) === key; i++) yield this.idAt(i)
  }

  get words(): Uint32Array {
    return this.#words
  }
}

const [lowWord, highWord] = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? [0, 1] : [1, 0]

/** Collects pairs, in any order. */
export class KeyTableBuilder {
  #words = new Uint32Array(1 << 12)
  #used = 0

  add(key: number, id: number): void {
    if (this.#used + 2 > this.#words.length) {
      const larger = new Uint32Array(this.#words.length * 2)
      larger.set(this.#words)
      this.#words = larger
    }
    this.#words[this.#used + highWord] = key
    this.#words[this.#used + lowWord] = id
    this.#used += 2
  }

  /** Sorted as 64-bit numbers, in place and without making any of them. */
  build(): KeyTable {
    new BigUint64Array(this.#words.buffer, 0, this.#used / 2).sort()
    return new KeyTable(this.#words.subarray(0, this.#used))
  }
}

export interface NameIndex {
  /** Ids of the units' headers. */
  readonly units: Uint32Array
  /** What the keys of `code` count from. */
  readonly codeBase: number
  readonly tables: Readonly<Record<TableName, KeyTable>>
  /** How many units are only skeletons of ones in other files, and a checksum that changes with what was found of those. */
  readonly skeletons: number
  readonly splitSum: number
}

/** The index as bytes. `fingerprint` says which sections it was made of. */
export function writeIndex(index: NameIndex, fingerprint: string): Uint8Array {
  const { units, codeBase, tables, skeletons, splitSum } = index
  const even = units.length + (units.length & 1)
  const length = headerWords + even + tableNames.reduce((sum, name) => sum + tables[name].words.length, 0)
  const words = new Uint32Array(length)
  words.set([
    magic,
    version,
    hashOf(fingerprint),
    0,
    units.length,
    codeBase >>> 0,
    Math.floor(codeBase / 2 ** 32),
  ])
  tableNames.forEach((name, i) => {
    words[7 + i] = tables[name].words.length
  })
  words.set([skeletons, splitSum], headerWords - 2)
  let at = headerWords
  words.set(units, at)
  at += even
  for (const name of tableNames) {
    words.set(tables[name].words, at)
    at += tables[name].words.length
  }
  words[3] = checksum(words)
  return new Uint8Array(words.buffer)
}

/** Undefined where the bytes are of another version, of other sections, or damaged. */
export function readIndex(bytes: Uint8Array, fingerprint: string): NameIndex | undefined {
  if (bytes.length < headerWords * 4 || bytes.length % 8 !== 0) return undefined
  const words = aligned(bytes)
  if (words[0] !== magic || words[1] !== version || words[2] !== hashOf(fingerprint)) return undefined
  if (words[3] !== checksum(words)) return undefined
  let at = headerWords
  const part = (length: number): Uint32Array => {
    at += length
    return words.subarray(at - length, at)
  }
  const unitCount = words[4]!
  const units = part(unitCount)
  at += unitCount & 1
  const tables = {} as Record<TableName, KeyTable>
  tableNames.forEach((name, i) => {
    tables[name] = new KeyTable(part(words[7 + i]!))
  })
  if (at !== words.length || units.length !== unitCount) return undefined
  const codeBase = words[6]! * 2 ** 32 + words[5]!
  return { units, codeBase, tables, skeletons: words[headerWords - 2]!, splitSum: words[headerWords - 1]! }
}

function checksum(words: Uint32Array): number {
  return crc32(new Uint8Array(words.buffer, words.byteOffset + 16, words.byteLength - 16))
}

function hashOf(text: string): number {
  return crc32(text)
}

function aligned(bytes: Uint8Array): Uint32Array {
  const from = bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes)
  return new Uint32Array(from.buffer, from.byteOffset, from.length / 4)
}
