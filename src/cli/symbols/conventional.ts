/** Separate debug information that lies on this machine where convention puts it, for every file that has none itself. */
import { hasDebugInfo, type LoadedFile, openElf, type Process } from '../../engine/index.ts'
import { type OpenSource, openFile } from '../../source/index.ts'
import { conventionalPlaces, crcOf, isFile } from './local.ts'

/**
 * Gives each file its own, known by build id or by the checksum that the file names. What does not fit, or is damaged,
 * is as good as absent. `found`: where the files lie on this machine.
 */
export function openConventional(
  { executable, libraries }: Process['image'],
  found: ReadonlyMap<string, string>,
): Disposable {
  const opened: OpenSource[] = []
  for (const file of [...(executable ? [executable] : []), ...libraries]) {
    if (hasDebugInfo(file.elf)) continue
    const source = openFirst(file, found.get(file.path))
    if (source) opened.push(source)
  }
  return {
    [Symbol.dispose]() {
      for (const source of opened) source[Symbol.dispose]()
    },
  }
}

function openFirst(file: LoadedFile, found: string | undefined): OpenSource | undefined {
  for (const { path, crc } of conventionalPlaces(file, found)) {
    if (!isFile(path)) continue
    let source: OpenSource | undefined
    try {
      source = openFile(path)
      const elf = openElf(source)
      const same = elf.buildId !== undefined && elf.buildId === file.elf.buildId
      if (hasDebugInfo(elf) && (same || (crc !== undefined && crcOf(source) === crc))) {
        file.debug = elf
        return source
      }
    } catch {
      // Not what it should be.
    }
    source?.[Symbol.dispose]()
  }
  return undefined
}
