/** Whether a symbol file belongs to a file of the process: by build id, or else by the code itself. */
import {
  type ByteSource,
  compareGoCode,
  type Disassembler,
  type ElfFile,
  hasDebugInfo,
  type LoadedFile,
  type Process,
} from '../../engine/index.ts'
import { crcOf } from './local.ts'

/** A file whose debug information is read in place of the process's own file. */
export interface DebugFile {
  readonly elf: ElfFile
  /** Of another build of the same code: where a variable of it is in the program. */
  readonly translate?: (addr: number) => number | undefined
}

/** The file to use, or why it is none, as a sentence's predicate: `has no debug information`. */
export type Fit = { readonly file: DebugFile } | { readonly refusal: string }

export interface FitContext {
  readonly process: Process
  /** Without one, code is not compared. */
  readonly disassembler?: Disassembler
  /** The CRC-32 that the process's file says its debug information has. */
  readonly checksum?: { readonly source: ByteSource; readonly crc: number }
}

export function fits(candidate: ElfFile, { elf, role }: LoadedFile, context: FitContext): Fit {
  if (candidate.header.machine !== elf.header.machine) return { refusal: 'is for another machine' }
  if (!hasDebugInfo(candidate)) return { refusal: 'has no debug information' }
  const ids = [candidate.buildId, elf.buildId]
  if (ids[0] !== undefined && ids[0] === ids[1]) return { file: { elf: candidate } }
  if (context.checksum) {
    const { source, crc } = context.checksum
    if (crcOf(source) === crc) return { file: { elf: candidate } }
  }
  const goIds = [candidate.goBuildId, elf.goBuildId]
  // The content's id is that of the whole file before strip: equal, it is the very build.
  if (goIds[0] && goIds[0] === goIds[1] && ids[0] === ids[1]) return { file: { elf: candidate } }
  if (role === 'executable' && context.process.runtime && context.disassembler) {
    const compared = compareGoCode(elf, candidate, context.process.image.arch, context.disassembler)
    if (!compared.same) return { refusal: compared.difference }
    return { file: { elf: candidate, translate: compared.translate } }
  }
  if (ids[0] !== undefined && ids[1] !== undefined)
    return { refusal: `has the build id ${ids[0]}, the program ${ids[1]}` }
  return sameText(candidate, elf) ? { file: { elf: candidate } } : { refusal: 'has other code' }
}

/** C without build ids: the same instructions at the same addresses, byte for byte. */
function sameText(candidate: ElfFile, own: ElfFile): boolean {
  const [text, ownText] = [candidate.section('.text'), own.section('.text')]
  if (!text || !ownText || text.addr !== ownText.addr || text.size !== ownText.size) return false
  const [bytes, ownBytes] = [text.bytes(), ownText.bytes()]
  return bytes.length > 0 && Buffer.compare(bytes, ownBytes) === 0
}
