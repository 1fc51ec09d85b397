/** Where a stripped file says that its debug information is: `.gnu_debuglink` (GDB manual, "Separate Debug Files"). */
import { alignUp } from '../../base/align.ts'
import { fixedText } from '../bytes/cursor.ts'
import { viewOf } from '../bytes/layout.ts'
import type { ElfFile } from './file.ts'

export interface DebugLink {
  /** A file's name, without a directory. */
  readonly name: string
  /** CRC-32 of the whole file. */
  readonly crc: number
}

/** Undefined where there is none, or one whose name would lead out of its directory. */
export function readDebugLink(elf: ElfFile): DebugLink | undefined {
  const bytes = elf.section('.gnu_debuglink')?.bytes()
  if (!bytes) return undefined
  const name = fixedText(bytes)
  // The CRC stands at the next multiple of four behind the NUL.
  const at = alignUp(Math.min(bytes.length, bytes.indexOf(0)) + 1, 4)
  if (name === '' || name === '.' || name === '..' || name.includes('/') || at < 4 || at + 4 > bytes.length)
    return undefined
  return { name, crc: viewOf(bytes).getUint32(at, elf.header.littleEndian) }
}

/** Whether a file has DWARF of its own. */
export const hasDebugInfo = (elf: ElfFile): boolean => (elf.section('.debug_info')?.size ?? 0) > 0
