/** Lays small ELF files by hand, from the same record tables that the reader has. */
import { viewOf } from '../../src/engine/bytes/layout.ts'
import { Ehdr32, Ehdr64, identSize, Nhdr, Phdr32, Phdr64 } from '../../src/engine/elf/records.ts'

export interface ElfPlan {
  type: number
  machine?: number
  entry?: number
  is64?: boolean
  littleEndian?: boolean
  segments: { type: number; flags?: number; vaddr?: number; bytes: Uint8Array; memsz?: number }[]
}

/** Header, program headers, then the segments' bytes one after the other. */
export function writeElf({
  type,
  machine = 62,
  entry = 0,
  is64 = true,
  littleEndian = true,
  segments,
}: ElfPlan): Uint8Array {
  const [Ehdr, Phdr] = is64 ? [Ehdr64, Phdr64] : [Ehdr32, Phdr32]
  const ehsize = identSize + Ehdr.size
  let offset = ehsize + segments.length * Phdr.size
  const out = new Uint8Array(offset + segments.reduce((sum, { bytes }) => sum + bytes.length, 0))
  const view = viewOf(out)
  out.set([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, littleEndian ? 1 : 2, 1])
  Ehdr.write(view, identSize, littleEndian, {
    ...{ type, machine, version: 1, entry, phoff: ehsize, shoff: 0, flags: 0, ehsize },
    ...{ phentsize: Phdr.size, phnum: segments.length, shentsize: 0, shnum: 0, shstrndx: 0 },
  })
  for (const [i, { type, flags = 4, vaddr = 0, bytes, memsz = bytes.length }] of segments.entries()) {
    const header = { type, flags, offset, vaddr, paddr: 0, filesz: bytes.length, memsz, align: 1 }
    Phdr.write(view, ehsize + i * Phdr.size, littleEndian, header)
    out.set(bytes, offset)
    offset += bytes.length
  }
  return out
}

export function writeNote(owner: string, type: number, desc: Uint8Array, littleEndian = true): Uint8Array {
  const name = new TextEncoder().encode(`${owner}\0`)
  const pad = (n: number): number => Math.ceil(n / 4) * 4
  const out = new Uint8Array(Nhdr.size + pad(name.length) + pad(desc.length))
  Nhdr.write(viewOf(out), 0, littleEndian, { namesz: name.length, descsz: desc.length, type })
  out.set(name, Nhdr.size)
  out.set(desc, Nhdr.size + pad(name.length))
  return out
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}
