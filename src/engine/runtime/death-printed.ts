/** What the program and the runtime printed before the end: where the print backlog lies, and what is in it. */
import { findSymbol } from '../elf/symbol.ts'
import {
  type BacklogPlace,
  backlogPlaceFromCode,
  backlogPlaceFromText,
  readBacklog,
} from './print-backlog.ts'
import type { Runtime } from './runtime.ts'

/** By code, which is quicker to find than one symbol among many; by symbol, by content: see print-backlog.ts. */
export function printBacklog(runtime: Runtime): string | undefined {
  const { memory, image, modules } = runtime
  const module = modules[0]
  if (!module) return undefined
  const noptrbss = { start: module.noptrbss, end: module.enoptrbss }
  const place =
    placeByCode(runtime, noptrbss) ?? placeBySymbol(runtime) ?? backlogPlaceFromText(image.memory, noptrbss)
  return place && readBacklog(memory, place)
}

function placeBySymbol({ image: { executable } }: Runtime): BacklogPlace | undefined {
  if (!executable) return undefined
  try {
    const ring = findSymbol(executable.elf, 'runtime.printBacklog')
    const index = ring && findSymbol(executable.elf, 'runtime.printBacklogIndex')
    if (!ring) return undefined
    const at = (value: number): number => value + executable.bias
    return index ? { ring: at(ring.value), index: at(index.value) } : { ring: at(ring.value) }
  } catch {
    // A damaged symbol table is as good as none.
    return undefined
  }
}

function placeByCode(
  { symtab, memory, image }: Runtime,
  noptrbss: { start: number; end: number },
): BacklogPlace | undefined {
  if (image.arch.name !== 'amd64') return undefined
  const func = symtab.findByName('runtime.recordForPanic')
  const code =
    func && func.end - func.entry < 1 << 16 ? memory.tryRead(func.entry, func.end - func.entry) : undefined
  return func && code ? backlogPlaceFromCode(code, func.entry, noptrbss, memory) : undefined
}
