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

interface Table {
  readonly count: number
  /** Offset of the symbol's name in `names`. */
  nameAt(index: number): number
  readonly names: Uint8Array
  read(index: number): ElfSymbol
}

function openTable(file: ElfFile): Table | undefined {
  const table =
    file.sections.find(({ type }) => type === SectionType.symtab) ??
    file.sections.find(({ type }) => type === SectionType.dynsym)
  const strings = table && file.sections[table.link]
  if (!table || !strings) return undefined
  const Sym = file.header.is64 ? Sym64 : Sym32
  const bytes = table.bytes()
  const names = strings.bytes()
  const view = viewOf(bytes)
  const { littleEndian } = file.header
  return {
    count: Math.min(Math.floor(bytes.length / Sym.size), maxSymbols),
    names,
    nameAt: i => view.getUint32(i * Sym.size + Sym.offsets.name, littleEndian),
    read(i) {
      const { name, value, size, info, shndx } = Sym.read(view, i * Sym.size, littleEndian)
      return { name: fixedText(names.subarray(name, name + maxName)), value, size, type: info & 15, shndx }
    },
  }
}

/** The symbols that are defined in the file. */
export function readSymbols(file: ElfFile): ElfSymbol[] {
  const table = openTable(file)
  const symbols: ElfSymbol[] = []
  for (let i = 1; i < (table?.count ?? 0); i++) {
    const symbol = table!.read(i)
    if (symbol.shndx !== 0) symbols.push(symbol)
  }
  return symbols
}

/** The symbol of that name, without making all the others; programs have hundreds of thousands. */
export function findSymbol(file: ElfFile, name: string): ElfSymbol | undefined {
  const table = openTable(file)
  if (!table) return undefined
  // As bytes: making a text of megabytes of names takes longer than everything else.
  const names = Buffer.from(table.names.buffer, table.names.byteOffset, table.names.byteLength)
  const wanted = Buffer.from(`\0${name}\0`)
  for (let at = names.indexOf(wanted); at >= 0; at = names.indexOf(wanted, at + 1))
    for (let i = 1; i < table.count; i++) {
      if (table.nameAt(i) !== at + 1) continue
      const symbol = table.read(i)
      if (symbol.shndx !== 0) return symbol
    }
  return undefined
}
