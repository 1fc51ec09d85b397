/** The fixed records of ELF, 32 and 64 bits (gABI ch. 4 and 5). One table each; the byte order is the reader's. */
import { record } from '../bytes/layout.ts'

/** Bytes of e_ident, before the rest of the header. */
export const identSize = 16

const half = 'u16'
const word = 'u32'

/** Elf64_Ehdr without e_ident. */
export const Ehdr64 = record({
  type: half,
  machine: half,
  version: word,
  entry: 'u64',
  phoff: 'u64',
  shoff: 'u64',
  flags: word,
  ehsize: half,
  phentsize: half,
  phnum: half,
  shentsize: half,
  shnum: half,
  shstrndx: half,
})

/** Elf32_Ehdr without e_ident. */
export const Ehdr32 = record({
  type: half,
  machine: half,
  version: word,
  entry: word,
  phoff: word,
  shoff: word,
  flags: word,
  ehsize: half,
  phentsize: half,
  phnum: half,
  shentsize: half,
  shnum: half,
  shstrndx: half,
})

export const Phdr64 = record({
  type: word,
  flags: word,
  offset: 'u64',
  vaddr: 'u64',
  paddr: 'u64',
  filesz: 'u64',
  memsz: 'u64',
  align: 'u64',
})

export const Phdr32 = record({
  type: word,
  offset: word,
  vaddr: word,
  paddr: word,
  filesz: word,
  memsz: word,
  flags: word,
  align: word,
})

export const Shdr64 = record({
  name: word,
  type: word,
  flags: 'u64',
  addr: 'u64',
  offset: 'u64',
  size: 'u64',
  link: word,
  info: word,
  addralign: 'u64',
  entsize: 'u64',
})

export const Shdr32 = record({
  name: word,
  type: word,
  flags: word,
  addr: word,
  offset: word,
  size: word,
  link: word,
  info: word,
  addralign: word,
  entsize: word,
})

export const Sym64 = record({ name: word, info: 'u8', other: 'u8', shndx: half, value: 'u64', size: 'u64' })
export const Sym32 = record({ name: word, value: word, size: word, info: 'u8', other: 'u8', shndx: half })

/** Elf_Nhdr, the same in both classes. */
export const Nhdr = record({ namesz: word, descsz: word, type: word })

/** Header of a compressed section. */
export const Chdr64 = record({ type: word, reserved: word, size: 'u64', addralign: 'u64' })
export const Chdr32 = record({ type: word, size: word, addralign: word })
