/**
 * The debug sections of one file, each read (and decompressed) when first asked for. A file of split DWARF has them
 * under names that end in `.dwo`.
 */
import type { ElfFile } from '../elf/file.ts'

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

export type SectionName = keyof typeof names

const none = new Uint8Array(0)

export class DebugSections {
  readonly file: string
  readonly littleEndian: boolean
  readonly #elf: ElfFile
  readonly #suffix: string
  readonly #kept = new Map<SectionName, Uint8Array>()

  constructor(elf: ElfFile, suffix = '') {
    this.#elf = elf
    this.#suffix = suffix
    this.file = elf.source.name
    this.littleEndian = elf.header.littleEndian
  }

  has(name: SectionName): boolean {
    return this.#elf.section(names[name] + this.#suffix) !== undefined
  }

  /** The contents; empty where the file has no such section. */
  bytes(name: SectionName): Uint8Array {
    let bytes = this.#kept.get(name)
    if (!bytes) {
      bytes = this.#elf.section(names[name] + this.#suffix)?.bytes() ?? none
      this.#kept.set(name, bytes)
    }
    return bytes
  }

  /** What identifies the sections without reading them: their places and stored sizes. */
  fingerprint(): string {
    return Object.values(names)
      .map(name => this.#elf.section(name + this.#suffix))
      .map(section => (section ? `${section.offset}+${section.size}` : '-'))
      .concat(this.#elf.buildId ?? '', this.#elf.goBuildId ?? '')
      .join(' ')
  }

  label(name: SectionName): string {
    return names[name] + this.#suffix
  }
}
