/** Every file whose code a process could run: the executable, its libraries, and the vDSO, which only memory has. */
import { FormatError } from '../../base/errors.ts'
import { AuxType } from '../core/auxv.ts'
import type { LoadedFile, ProcessImage } from '../core/process-image.ts'
import { openElf } from '../elf/file.ts'

const ptLoad = 1
/** The vDSO has two pages or so; the kernel puts all of it into the core. */
const maxVdso = 1 << 16

export function loadedFiles(image: ProcessImage): LoadedFile[] {
  const vdso = openVdso(image)
  return [...(image.executable ? [image.executable] : []), ...image.libraries, ...(vdso ? [vdso] : [])]
}

function openVdso({ core, memory }: ProcessImage): LoadedFile | undefined {
  const base = core.auxv.get(AuxType.sysinfoEhdr)
  const region = base === undefined ? undefined : memory.regionAt(base)
  if (base === undefined || !region) return undefined
  const bytes = memory.read(base, Math.min(maxVdso, region.end - base))
  try {
    const source = {
      name: 'vdso',
      size: bytes.length,
      read: (at: number, length: number) =>
        bytes.subarray(at, Math.max(at, Math.min(bytes.length, at + length))),
    }
    const elf = openElf(source)
    const load = elf.segments.find(({ type }) => type === ptLoad)
    if (!load) return undefined
    const bias = base - load.vaddr
    return {
      path: '[vdso]',
      role: 'library',
      elf,
      bias,
      start: base,
      end: base + Math.min(load.memsz, maxVdso),
    }
  } catch (error) {
    if (error instanceof FormatError) return undefined
    throw error
  }
}
