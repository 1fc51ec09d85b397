/** Whether a file is split debug information, and of which program. */
import type { ElfFile } from '../elf/file.ts'
import { DebugSections } from './sections.ts'
import { isPackage } from './split-package.ts'
import { Units } from './units.ts'

/** A `.dwo` file, or a package of them. */
export const isSplit = (elf: ElfFile): boolean => isPackage(elf) || new DebugSections(elf, '.dwo').has('info')

/** Whether a unit of the program is in the split file, known by its number. */
export function fitsSplit(program: ElfFile, split: ElfFile): boolean {
  const files = { packages: () => [split], files: () => [split] }
  return new Units(new DebugSections(program), files).split.parts.length > 0
}
