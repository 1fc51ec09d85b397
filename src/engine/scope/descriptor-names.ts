/**
 * Types by name where no debug information tells them: the runtime's descriptors lie one behind the other in
 * [moduledata.types, etypes), among their names, so whatever word there looks like one and has a sound name is one.
 */
import type { TypeReader, TypeRegion } from '../value/rtype.ts'

/** Of all modules; 64 MB of descriptors are a very large program's. */
const maxRegion = 64 << 20
const maxTypes = 1 << 20
const maxSize = 2 ** 40
const aligns: ReadonlySet<number> = new Set([1, 2, 4, 8, 16])

export class DescriptorNames {
  readonly #types: TypeReader
  readonly #regions: readonly TypeRegion[]
  #byName: Map<string, number> | undefined

  constructor(types: TypeReader, regions: readonly TypeRegion[]) {
    this.#types = types
    this.#regions = regions
  }

  /** Address of the descriptor; `name` as the runtime prints types, with the package's last element or its whole path. */
  find(name: string): number | undefined {
    const slash = name.lastIndexOf('/')
    return this.#all().get(slash < 0 ? name : name.replace(/[\w.~-]+\//g, ''))
  }

  names(): Iterable<string> {
    return this.#all().keys()
  }

  #all(): ReadonlyMap<string, number> {
    if (this.#byName) return this.#byName
    const found = new Map<string, number>()
    for (const { types, etypes } of this.#regions) {
      const end = Math.min(etypes, types + maxRegion)
      for (let addr = types; addr < end && found.size < maxTypes; addr += 8) {
        const type = this.#looksLikeOne(addr) ? this.#types.at(addr) : undefined
        if (type && /^[\p{L}*[(<]/u.test(type.name) && !found.has(type.name)) found.set(type.name, addr)
      }
    }
    this.#byName = found
    return found
  }

  /** abi.Type: size, ptrdata ≤ size, hash u32, tflag, align, fieldAlign, kind. */
  #looksLikeOne(addr: number): boolean {
    const { memory } = this.#types
    const { ptrSize } = memory
    if (!memory.has(addr, 6 * ptrSize)) return false
    const align = memory.u8(addr + 2 * ptrSize + 5)
    const fieldAlign = memory.u8(addr + 2 * ptrSize + 6)
    if (!aligns.has(align) || !aligns.has(fieldAlign)) return false
    const size = memory.word(addr)
    return size % align === 0 && size < maxSize && memory.word(addr + ptrSize) <= size
  }
}
