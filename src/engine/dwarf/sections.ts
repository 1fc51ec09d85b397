/**
 * The debug sections of one file, each read (and decompressed) when first asked for. A file of split DWARF has them
 * under names that end in `.dwo`.
 */
import { crc32 } from 'node:zlib'
import { SectionFlag } from '../elf/constants.ts'
import type { ElfFile } from '../elf/file.ts'
import { DataReader } from './data-reader.ts'
import { openPacked, type PackedSection, packSection } from './packed-section.ts'

const names = {
  info: '.debug_info',
  types: '.debug_types',
  abbrev: '.debug_abbrev',
  str: '.debug_str',
  lineStr: '.debug_line_str',
  strOffsets: '.debug_str_offsets',
  addr: '.debug_addr',
  loc: '.debug_loc',
  loclists: '.debug_loclists',
  ranges: '.debug_ranges',
  rnglists: '.debug_rnglists',
  line: '.debug_line',
} as const

/** Keeps what was made of debug information, by a text that tells it from any other. Neither may throw. */
export interface IndexCache {
  read(key: string): Uint8Array | undefined
  /** `pieces`: kept as one; may be gone through more than once. */
  write(key: string, pieces: Iterable<Uint8Array>): void
}

export type SectionName = keyof typeof names

/** A piece of a section, in bytes from its start. */
export interface SectionSlice {
  readonly offset: number
  readonly size: number
}

/** Bytes at each end of `.debug_info` as it is stored. */
const sampled = 1 << 16
/** Compressed bytes of a section below which unpacking all of it costs nothing to speak of. */
const worthPacking = 1 << 20
const none = new Uint8Array(0)

export class DebugSections {
  readonly file: string
  readonly littleEndian: boolean
  readonly #elf: ElfFile
  readonly #suffix: string
  #fingerprint: string | undefined
  readonly #readers = new Map<SectionName, DataReader>()

  readonly #cache: IndexCache | undefined
  readonly #slices: ReadonlyMap<SectionName, SectionSlice> | undefined

  /** `slices`: the pieces of sections that are meant, of those that are not meant whole. */
  constructor(
    elf: ElfFile,
    suffix = '',
    cache?: IndexCache,
    slices?: ReadonlyMap<SectionName, SectionSlice>,
  ) {
    this.#elf = elf
    this.#slices = slices
    this.#cache = cache
    this.#suffix = suffix
    this.file = elf.source.name
    this.littleEndian = elf.header.littleEndian
  }

  has(name: SectionName): boolean {
    return this.#elf.section(names[name] + this.#suffix) !== undefined
  }

  /** The one reader of a section: whoever uses it sets its position first. Empty where there is no such section. */
  reader(name: SectionName): DataReader {
    let reader = this.#readers.get(name)
    if (!reader) {
      const label = names[name] + this.#suffix
      const slice = this.#slices?.get(name)
      const whole = this.#content(label)
      const content =
        slice && whole instanceof Uint8Array ? whole.subarray(slice.offset, slice.offset + slice.size) : whole
      reader = new DataReader(content, this.littleEndian, this.file, label)
      this.#readers.set(name, reader)
    }
    return reader
  }

  /** A large section that is compressed as a whole comes from the cache in blocks, the second time. */
  #content(label: string): Uint8Array | PackedSection {
    const section = this.#elf.section(label)
    if (!section) return none
    // The linker joins sections of one name; nobody has linked a `.dwo`, where each type may have its own.
    if (this.#suffix !== '') {
      const all = this.#elf.sections.filter(({ name }) => name === label)
      if (all.length > 1) return Buffer.concat(all.map(each => each.bytes()))
    }
    const cache = this.#cache
    if (!cache || (section.flags & SectionFlag.compressed) === 0 || section.size < worthPacking)
      return section.bytes()
    const key = `${this.fingerprint()} ${label}`
    const kept = cache.read(key)
    const packed = kept && openPacked(kept, key)
    if (packed) return packed
    const bytes = section.bytes()
    cache.write(key, packSection(bytes, key))
    return bytes
  }

  /** What tells these sections from any others without reading them: places, sizes, build ids, and both ends of one. */
  fingerprint(): string {
    this.#fingerprint ??= Object.values(names)
      .map(name => this.#elf.section(name + this.#suffix))
      .map(section => (section ? `${section.offset}+${section.size}` : '-'))
      .concat(this.#elf.buildId ?? '', this.#elf.goBuildId ?? '', this.#ends())
      .join(' ')
    return this.#fingerprint
  }

  /** Build ids are only what a file says of itself. */
  #ends(): string {
    const section = this.#elf.section(names.info + this.#suffix)
    if (!section) return ''
    const length = Math.min(section.size, sampled)
    return [section.offset, section.offset + section.size - length]
      .map(at => crc32(this.#elf.source.read(at, length)).toString(16))
      .join(' ')
  }
}
