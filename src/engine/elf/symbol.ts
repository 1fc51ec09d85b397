/** Symbol tables, for C code and for checks; Go's own functions come from pclntab, which no strip removes. */
import { fixedText } from '../bytes/cursor.ts'
import { viewOf } from '../bytes/layout.ts'
import { SectionType } from './constants.ts'
import type { ElfFile } from './file.ts'
import { Sym32, Sym64 } from './records.ts'

export interface ElfSymbol {
  readonly name: string
  readonly value: number
  readonly size: number
  /** STT_*: 1 object, 2 function. */
  readonly type: number
  readonly shndx: number
}

const maxSymbols = 4 << 20
const maxName = 4096

export function readSymbols(file: ElfFile): ElfSymbol[] {
  const table =
    file.sections.find(({ type }) => type === SectionType.symtab) ??
    file.sections.find(({ type }) => type === SectionType.dynsym)
  const strings = table && file.sections[table.link]
  if (!table || !strings) return []
  const Sym = file.header.is64 ? Sym64 : Sym32
  const bytes = table.bytes()
  const names = strings.bytes()
  const view = viewOf(bytes)
  const count = Math.min(Math.floor(bytes.length / Sym.size), maxSymbols)
  const symbols: ElfSymbol[] = []
  for (let i = 1; i < count; i++) {
    const { name, value, size, info, shndx } = Sym.read(view, i * Sym.size, file.header.littleEndian)
    if (shndx === 0) continue
    symbols.push({
      name: fixedText(names.subarray(name, name + maxName)),
      value,
      size,
      type: info & 15,
      shndx,
    })
  }
  return symbols
}
