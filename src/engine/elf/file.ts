/**
 * An ELF file: header, segments, sections, symbols, build ids. All of it works with no section headers at all, which
 * is how core files and some shipped programs come. Specification: gABI ch. 4 and 5.
 */
import { FormatError } from '../../base/errors.ts'
import type { ByteSource } from '../bytes/byte-source.ts'
import { fixedText } from '../bytes/cursor.ts'
import { copyOf, ownBytes, viewOf } from '../bytes/layout.ts'
import { decompressSection } from './compression.ts'
import { NoteType, PN_XNUM, SectionFlag, SectionType, SegmentType } from './constants.ts'
import { type Note, readNotes } from './note.ts'
import { Ehdr32, Ehdr64, identSize, Phdr32, Phdr64, Shdr32, Shdr64 } from './records.ts'
import { type ElfSymbol, readSymbols } from './symbol.ts'

export interface ElfHeader {
  readonly is64: boolean
  readonly littleEndian: boolean
  readonly ptrSize: 4 | 8
  readonly type: number
  readonly machine: number
  readonly entry: number
  readonly flags: number
}

export interface Segment {
  readonly type: number
  readonly flags: number
  readonly offset: number
  readonly vaddr: number
  readonly filesz: number
  readonly memsz: number
  readonly align: number
}

export interface Section {
  readonly name: string
  readonly type: number
  readonly flags: number
  readonly addr: number
  readonly offset: number
  readonly size: number
  readonly link: number
  readonly entsize: number
  /** The contents, decompressed where they are compressed; empty for SHT_NOBITS. Read once, then kept. */
  bytes(): Uint8Array
}

/** No program has more; a damaged count must not make us read gigabytes of headers. */
const maxSegments = 1 << 20
const maxSections = 1 << 16
const maxNoteBytes = 32 << 20
/** In all; each of a core's threads, of which 65,536 are read, has five or fewer. */
const maxNotes = 1 << 19

/** Opens the file; throws FormatError where it is not ELF. Sections that cannot be read are left out. */
export function openElf(source: ByteSource): ElfFile {
  const bytes = copyOf(source.read(0, identSize + Ehdr64.size))
  const fail = (offset: number, problem: string): FormatError =>
    new FormatError({ file: source.name, section: 'ELF header', offset }, problem)
  if (
    bytes.length < identSize ||
    bytes[0] !== 0x7f ||
    bytes[1] !== 0x45 ||
    bytes[2] !== 0x4c ||
    bytes[3] !== 0x46
  )
    throw fail(0, 'not an ELF file')
  const [elfClass, data] = [bytes[4], bytes[5]]
  if (elfClass !== 1 && elfClass !== 2) throw fail(4, `unknown class ${elfClass}`)
  if (data !== 1 && data !== 2) throw fail(5, `unknown byte order ${data}`)
  const is64 = elfClass === 2
  const Ehdr = is64 ? Ehdr64 : Ehdr32
  if (bytes.length < identSize + Ehdr.size) throw fail(identSize, 'the file ends within the header')
  const ehdr = Ehdr.read(viewOf(bytes), identSize, data === 1)
  return new ElfFile(
    source,
    {
      is64,
      littleEndian: data === 1,
      ptrSize: is64 ? 8 : 4,
      type: ehdr.type,
      machine: ehdr.machine,
      entry: ehdr.entry,
      flags: ehdr.flags,
    },
    ehdr,
  )
}

type Ehdr = ReturnType<typeof Ehdr64.read>

export class ElfFile {
  readonly source: ByteSource
  readonly header: ElfHeader
  readonly segments: readonly Segment[]
  readonly #ehdr: Ehdr
  #sections: readonly Section[] | undefined
  #notes: readonly Note[] | undefined
  #symbols: readonly ElfSymbol[] | undefined

  constructor(source: ByteSource, header: ElfHeader, ehdr: Ehdr) {
    this.source = source
    this.header = header
    this.#ehdr = ehdr
    this.segments = this.#readSegments()
  }

  get sections(): readonly Section[] {
    this.#sections ??= this.#readSections()
    return this.#sections
  }

  /** By name; `.debug_x` also finds `.zdebug_x`, the older way of compressing it. */
  section(name: string): Section | undefined {
    const found = this.sections.find(section => section.name === name)
    if (found || !name.startsWith('.debug_')) return found
    return this.sections.find(section => section.name === name.replace('.debug_', '.zdebug_'))
  }

  /** Notes of the PT_NOTE segments, or of SHT_NOTE sections where there is no such segment. */
  get notes(): readonly Note[] {
    this.#notes ??= [...this.#readNotes()]
    return this.#notes
  }

  /** GNU build id, lower-case hex. */
  get buildId(): string | undefined {
    const note = this.notes.find(({ owner, type }) => owner === 'GNU' && type === NoteType.gnuBuildId)
    return note && hexOf(note.desc)
  }

  /** Go build id: `actionID/…/contentID`. */
  get goBuildId(): string | undefined {
    const note = this.notes.find(({ owner, type }) => owner === 'Go' && type === NoteType.goBuildId)
    return note && fixedText(note.desc)
  }

  /** `.symtab`, or else `.dynsym`. Empty for stripped files. */
  symbols(): readonly ElfSymbol[] {
    this.#symbols ??= readSymbols(this)
    return this.#symbols
  }

  /** The bytes of the file at `vaddr` as the file's own segments map it; fewer where they end. */
  bytesAt(vaddr: number, length: number): Uint8Array {
    for (const segment of this.segments) {
      if (segment.type !== SegmentType.load) continue
      const skip = vaddr - segment.vaddr
      if (skip >= 0 && skip < segment.filesz)
        return this.source.read(segment.offset + skip, Math.min(length, segment.filesz - skip))
    }
    return new Uint8Array(0)
  }

  #readSegments(): Segment[] {
    const Phdr = this.header.is64 ? Phdr64 : Phdr32
    let { phnum, phentsize } = this.#ehdr
    if (phnum === 0) return []
    if (phnum === PN_XNUM) phnum = this.#firstSection()?.info ?? phnum
    if (phentsize < Phdr.size)
      throw this.#error('program headers', this.#ehdr.phoff, `entries of ${phentsize} bytes`)
    if (phnum > maxSegments) throw this.#error('program headers', this.#ehdr.phoff, `${phnum} entries`)
    const bytes = this.source.read(this.#ehdr.phoff, phnum * phentsize)
    const view = viewOf(bytes)
    const segments: Segment[] = []
    for (let at = 0; at + Phdr.size <= bytes.length; at += phentsize)
      segments.push(Phdr.read(view, at, this.header.littleEndian))
    if (segments.length === 0)
      throw this.#error('program headers', this.#ehdr.phoff, `${phnum} entries expected, none there`)
    return segments
  }

  #firstSection(): ReturnType<typeof Shdr64.read> | undefined {
    const Shdr = this.header.is64 ? Shdr64 : Shdr32
    if (this.#ehdr.shoff === 0) return undefined
    const bytes = this.source.read(this.#ehdr.shoff, Shdr.size)
    return bytes.length < Shdr.size ? undefined : Shdr.read(viewOf(bytes), 0, this.header.littleEndian)
  }

  #readSections(): Section[] {
    const Shdr = this.header.is64 ? Shdr64 : Shdr32
    const first = this.#firstSection()
    if (!first || this.#ehdr.shentsize < Shdr.size) return []
    // gABI: counts that do not fit are in section 0.
    const shnum = Math.min(this.#ehdr.shnum || first.size, maxSections)
    const shstrndx = this.#ehdr.shstrndx === 0xffff ? first.link : this.#ehdr.shstrndx
    const bytes = copyOf(this.source.read(this.#ehdr.shoff, shnum * this.#ehdr.shentsize))
    const view = viewOf(bytes)
    const raw: ReturnType<typeof Shdr64.read>[] = []
    for (let at = 0; at + Shdr.size <= bytes.length; at += this.#ehdr.shentsize)
      raw.push(Shdr.read(view, at, this.header.littleEndian))
    const strings = raw[shstrndx]
    const names = strings ? copyOf(this.#contents(strings)) : new Uint8Array(0)
    return raw.map(header => this.#section(header, fixedText(names.subarray(header.name, header.name + 256))))
  }

  #section(header: ReturnType<typeof Shdr64.read>, name: string): Section {
    let kept: Uint8Array | undefined
    const read = (): Uint8Array => {
      if (header.type === SectionType.nobits) return new Uint8Array(0)
      const stored = this.#contents(header)
      const compressed = (header.flags & SectionFlag.compressed) !== 0 || name.startsWith('.zdebug_')
      return compressed ? decompressSection(this, name, stored) : ownBytes(stored)
    }
    return {
      name,
      type: header.type,
      flags: header.flags,
      addr: header.addr,
      offset: header.offset,
      size: header.size,
      link: header.link,
      entsize: header.entsize,
      bytes: () => (kept ??= read()),
    }
  }

  #contents(header: { type: number; offset: number; size: number }): Uint8Array {
    if (header.type === SectionType.nobits) return new Uint8Array(0)
    const length = Math.min(header.size, this.source.size - header.offset)
    return length > 0 ? this.source.read(header.offset, length) : new Uint8Array(0)
  }

  *#readNotes(): Generator<Note> {
    const places = this.segments
      .filter(({ type }) => type === SegmentType.note)
      .map(s => ({ offset: s.offset, size: s.filesz }))
    if (places.length === 0)
      for (const { type, offset, size } of this.sections)
        if (type === SectionType.note) places.push({ offset, size })
    let left = maxNotes
    for (const { offset, size } of places.slice(0, 64)) {
      const bytes = copyOf(this.source.read(offset, Math.min(size, maxNoteBytes)))
      for (const note of readNotes(bytes, this.header.littleEndian)) {
        if (left-- === 0) return
        yield note
      }
    }
  }

  #error(section: string, offset: number, problem: string): FormatError {
    return new FormatError({ file: this.source.name, section, offset }, problem)
  }
}

/** Lower-case hexadecimal digits. */
export function hexOf(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}
