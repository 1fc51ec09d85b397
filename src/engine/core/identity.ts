/**
 * Is this file the one that was mapped? The kernel puts the first page of every ELF mapping into the core, and with
 * it the header, the program headers and, as the linkers lay files out, the build ids.
 */
import { MismatchError } from '../../base/errors.ts'
import type { ByteSource } from '../bytes/byte-source.ts'
import { type ElfFile, openElf } from '../elf/file.ts'
import type { Memory } from './memory.ts'

const pageSize = 4096

/** What the core shows of a mapped file. */
export interface MappedIdentity {
  readonly buildId?: string
  readonly goBuildId?: string
  readonly elf: ElfFile
}

/** Reads the ELF header page at `start` as the core holds it; undefined where it is not there, or not ELF. */
export function identityInCore(memory: Memory, start: number, name: string): MappedIdentity | undefined {
  const page = memory.tryRead(start, pageSize)
  if (!page) return undefined
  try {
    const elf = openElf(pageSource(`${name} in the core`, page))
    const { buildId, goBuildId } = elf
    return { elf, ...(buildId ? { buildId } : {}), ...(goBuildId ? { goBuildId } : {}) }
  } catch {
    return undefined
  }
}

/** The difference as a sentence, or undefined where file and core agree as far as both can tell. */
export function findMismatch(file: ElfFile, mapped: MappedIdentity, role: string): string | undefined {
  const differ = (what: string, ours: string, cores: string): string =>
    `${file.source.name} is not the ${role} of this core: its ${what} is ${ours}, the core's is ${cores}`
  if (file.header.machine !== mapped.elf.header.machine)
    return differ('machine', String(file.header.machine), String(mapped.elf.header.machine))
  if (file.buildId && mapped.buildId)
    return file.buildId === mapped.buildId ? undefined : differ('build id', file.buildId, mapped.buildId)
  if (file.goBuildId && mapped.goBuildId)
    return file.goBuildId === mapped.goBuildId
      ? undefined
      : differ('Go build id', file.goBuildId, mapped.goBuildId)
  const [ours, cores] = [shapeOf(file), shapeOf(mapped.elf)]
  return ours === cores ? undefined : differ('shape (entry point and segments)', ours, cores)
}

/** Throws MismatchError where the executable is another build than the one that crashed. */
export function checkExecutable(file: ElfFile, mapped: MappedIdentity | undefined): void {
  const problem = mapped && findMismatch(file, mapped, 'program')
  if (problem) throw new MismatchError(problem)
}

/** Entry point and loaded segments: `strip` leaves them, another build rarely has the same. */
function shapeOf(elf: ElfFile): string {
  const loads = elf.segments.filter(({ type }) => type === 1)
  const sizes = loads.map(({ vaddr, filesz }) => `${vaddr.toString(16)}+${filesz.toString(16)}`)
  return `entry ${elf.header.entry.toString(16)}, ${sizes.join(' ')}`
}

/** One page as a file: what lies past it, section headers for one, reads as empty. */
function pageSource(name: string, page: Uint8Array): ByteSource {
  return {
    name,
    size: page.length,
    read: (offset, length) =>
      page.subarray(Math.min(page.length, offset), Math.min(page.length, offset + length)),
  }
}
