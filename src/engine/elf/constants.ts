/** Numbers of the ELF specification (gABI, System V ABI ch. 4 and 5), with its names. */

export const ElfType = { none: 0, rel: 1, exec: 2, dyn: 3, core: 4 } as const

/** e_machine, those that Go has on Linux. */
export const Machine = {
  i386: 3,
  mips: 8,
  ppc64: 21,
  s390: 22,
  arm: 40,
  x86_64: 62,
  aarch64: 183,
  riscv: 243,
  loongarch: 258,
} as const

/** GOARCH, as far as the machine tells it. */
export function machineName(machine: number): string | undefined {
  return goarch.get(machine)
}

const goarch: ReadonlyMap<number, string> = new Map([
  [Machine.i386, '386'],
  [Machine.mips, 'mips'],
  [Machine.ppc64, 'ppc64'],
  [Machine.s390, 's390x'],
  [Machine.arm, 'arm'],
  [Machine.x86_64, 'amd64'],
  [Machine.aarch64, 'arm64'],
  [Machine.riscv, 'riscv64'],
  [Machine.loongarch, 'loong64'],
])

export const SegmentType = { load: 1, dynamic: 2, interp: 3, note: 4, phdr: 6, tls: 7 } as const

export const SegmentFlag = { execute: 1, write: 2, read: 4 } as const

export const SectionType = {
  null: 0,
  progbits: 1,
  symtab: 2,
  strtab: 3,
  note: 7,
  nobits: 8,
  dynsym: 11,
} as const

export const SectionFlag = { write: 1, alloc: 2, execinstr: 4, compressed: 0x800 } as const

/** ch_type of a compressed section's header. */
export const Compression = { zlib: 1, zstd: 2 } as const

/** e_phnum when the true count is in sh_info of section 0 (gABI; cores with more than 65534 mappings). */
export const PN_XNUM = 0xffff

/** Note types, by the owner's name. */
export const NoteType = {
  /** `CORE` */
  prstatus: 1,
  fpregset: 2,
  prpsinfo: 3,
  auxv: 6,
  siginfo: 0x53494749,
  file: 0x46494c45,
  /** `LINUX` */
  x86Xstate: 0x202,
  x86XsaveLayout: 0x205,
  /** `GNU` */
  gnuBuildId: 3,
  /** `Go\0\0` */
  goBuildId: 4,
} as const
