/**
 * A core file as the Linux kernel writes it (fs/binfmt_elf.c): an ELF file of type ET_CORE with one PT_NOTE that
 * describes threads and process, and a PT_LOAD for each mapping. Notes of unknown type pass by.
 */
import { FormatError, reasonOf, UnsupportedError } from '../../base/errors.ts'
import { type Arch, findArch } from '../arch/arch.ts'
import type { ByteSource } from '../bytes/byte-source.ts'
import { fixedText } from '../bytes/cursor.ts'
import { viewOf } from '../bytes/layout.ts'
import { ElfType, machineName, NoteType, SegmentType } from '../elf/constants.ts'
import { type ElfFile, openElf, type Segment } from '../elf/file.ts'
import { readAuxv } from './auxv.ts'
import { readXsaveLayout } from './extended-state.ts'
import { type Mapping, readMappings } from './mapping.ts'
import { readSiginfo, type Siginfo } from './siginfo.ts'
import { type CoreThread, readThread, type ThreadNotes } from './thread.ts'
import type { Warning } from './warnings.ts'

/** NT_PRPSINFO: `struct elf_prpsinfo`. */
export interface ProcessInfo {
  readonly pid: number
  readonly uid: number
  readonly gid: number
  /** `comm`, at most 15 bytes. */
  readonly fname: string
  /** The first 79 bytes of the command line. */
  readonly psargs: string
}

export interface CoreFile {
  readonly source: ByteSource
  readonly elf: ElfFile
  readonly arch: Arch
  /** The first is the one that died. */
  readonly threads: readonly CoreThread[]
  readonly siginfo?: Siginfo
  readonly psinfo?: ProcessInfo
  readonly auxv: ReadonlyMap<number, number>
  readonly mappings: readonly Mapping[]
  /** PT_LOAD only. */
  readonly segments: readonly Segment[]
  /** Bytes that the program headers promise. */
  readonly expectedSize: number
  readonly complete: boolean
  readonly warnings: readonly Warning[]
}

const maxThreads = 1 << 16

/** Throws FormatError where it is no ELF core, UnsupportedError for machines that we do not know. */
export function openCoreFile(source: ByteSource): CoreFile {
  const elf = openElf(source)
  if (elf.header.type !== ElfType.core)
    throw new FormatError({ file: source.name, section: 'ELF header', offset: 16 }, 'not a core file')
  const arch = findArch(elf.header)
  if (!arch)
    throw new UnsupportedError(
      'machine',
      `${source.name} is a core of ${machineName(elf.header.machine) ?? `ELF machine ${elf.header.machine}`}; those of amd64 are explained`,
    )
  const segments = elf.segments.filter(({ type }) => type === SegmentType.load)
  const expectedSize = elf.segments.reduce((max, s) => Math.max(max, s.offset + s.filesz), 0)
  const complete = source.size >= expectedSize
  const warnings: Warning[] = []
  if (!complete)
    warnings.push({
      code: 'core-truncated',
      message: `The core ends after ${source.size} of ${expectedSize} bytes.`,
    })
  return {
    source,
    elf,
    arch,
    segments,
    expectedSize,
    complete,
    warnings,
    ...readCoreNotes(elf, arch, warnings),
  }
}

type NoteFacts = Pick<CoreFile, 'threads' | 'auxv' | 'mappings'> & { siginfo?: Siginfo; psinfo?: ProcessInfo }

function readCoreNotes(elf: ElfFile, arch: Arch, warnings: Warning[]): NoteFacts {
  const threads: CoreThread[] = []
  const facts: { -readonly [K in keyof NoteFacts]: NoteFacts[K] } = { threads, auxv: new Map(), mappings: [] }
  const { littleEndian, ptrSize } = arch
  const incomplete = (what: string, why: string): void => {
    warnings.push({ code: 'core-note-damaged', message: `The core's ${what} note is damaged: ${why}.` })
  }
  const states: ThreadNotes[] = []
  for (const { owner, type, desc } of elf.notes) {
    const state = states.at(-1)
    if (owner === 'LINUX' && type === NoteType.x86Xstate && state) state.xstate = desc
    else if (owner === 'LINUX' && type === NoteType.x86XsaveLayout) {
      const layout = readXsaveLayout(desc)
      for (const notes of states) notes.layout = layout
    }
    if (owner !== 'CORE') continue
    if (type === NoteType.prstatus && threads.length < maxThreads) {
      const notes: ThreadNotes = {}
      const thread = readThread(arch, desc, threads.length === 0, notes)
      // A damaged one must not leave its state to the one before.
      states.push(notes)
      if (thread) threads.push(thread)
      else incomplete('NT_PRSTATUS', `it has ${desc.length} bytes`)
    } else if (type === NoteType.fpregset) {
      if (state) state.fpregs = desc
    } else if (type === NoteType.prpsinfo) {
      const psinfo = readProcessInfo(desc, littleEndian)
      if (psinfo) facts.psinfo = psinfo
    } else if (type === NoteType.siginfo) {
      const siginfo = readSiginfo(desc, arch)
      if (siginfo) facts.siginfo = siginfo
    } else if (type === NoteType.auxv) {
      facts.auxv = readAuxv(desc, littleEndian, ptrSize)
    } else if (type === NoteType.file) {
      try {
        facts.mappings = readMappings(desc, { file: elf.source.name, littleEndian, ptrSize })
      } catch (error) {
        incomplete('NT_FILE', reasonOf(error))
      }
    }
  }
  if (threads.length === 0)
    warnings.push({ code: 'core-without-threads', message: 'The core has no readable thread registers.' })
  return facts
}

/** By size: 136 (64 bits), 124 (32 bits with 16-bit ids: 386, arm), 128 (32 bits with 32-bit ids: mips). */
const prpsinfoLayouts: Readonly<
  Record<number, { ids: 'u16' | 'u32'; uid: number; pid: number; fname: number }>
> = {
  136: { ids: 'u32', uid: 16, pid: 24, fname: 40 },
  128: { ids: 'u32', uid: 8, pid: 16, fname: 32 },
  124: { ids: 'u16', uid: 8, pid: 12, fname: 28 },
}

function readProcessInfo(desc: Uint8Array, little: boolean): ProcessInfo | undefined {
  const layout = prpsinfoLayouts[desc.length]
  if (!layout) return undefined
  const view = viewOf(desc)
  const id = (i: number): number =>
    layout.ids === 'u32'
      ? view.getUint32(layout.uid + 4 * i, little)
      : view.getUint16(layout.uid + 2 * i, little)
  return {
    uid: id(0),
    gid: id(1),
    pid: view.getInt32(layout.pid, little),
    fname: fixedText(desc.subarray(layout.fname, layout.fname + 16)),
    psargs: fixedText(desc.subarray(layout.fname + 16, layout.fname + 96)).trimEnd(),
  }
}
