/**
 * Type descriptors: what the linker lays down in [moduledata.types, moduledata.etypes) for every type that can reach
 * an interface, in stripped programs too. abi.Type has kept its layout from Go 1.17 to 1.27 (internal/abi/type.go,
 * before 1.21 runtime/type.go): size, ptrdata, hash u32, tflag, align, fieldAlign, kind u8, equal, gcdata, str, ptrToThis.
 * Left out: types made at run time by package reflect, whose names are only in a Go map; they come with no name.
 */
import { utf8 } from '../bytes/cursor.ts'
import type { Memory } from '../core/memory.ts'
import { type Kind, kindMask, kindNames } from './kind.ts'

/** Where a module keeps its types; offsets in a descriptor count from `types` of the module that holds it. */
export interface TypeRegion {
  readonly types: number
  readonly etypes: number
}

export interface GoType {
  readonly addr: number
  readonly size: number
  readonly kind: Kind
  /** As the runtime prints it: `main.T`, `*errors.errorString`, `map[string]int`. */
  readonly name: string
  /** It has a name of its own, other than its structure. */
  readonly named: boolean
  /** A value of this type is the data word of an interface itself. */
  readonly pointerShaped: boolean
}

export interface StructField {
  readonly name: string
  readonly type: number
  readonly offset: number
  readonly embedded: boolean
}

const tflagUncommon = 1
const tflagExtraStar = 2
const tflagNamed = 4

const maxName = 4096
const maxFields = 4096
const maxMethods = 4096
const maxParams = 256

export class TypeReader {
  readonly memory: Memory
  readonly #regions: readonly TypeRegion[]
  readonly #ptr: number
  readonly #mapTypeSize: number
  readonly #known = new Map<number, GoType | undefined>()

  /** `goMinor`: 24 for Go 1.24; it tells how long the descriptor of a map type is. */
  constructor(memory: Memory, regions: readonly TypeRegion[], options: { goMinor: number }) {
    this.memory = memory
    this.#regions = regions
    this.#ptr = memory.ptrSize
    // abi/map.go: four pointers then u8 u8 u16 u32; swiss maps have 3 words then u32; 1.27 has 6 words then u32.
    const words = options.goMinor >= 27 ? 6 : options.goMinor >= 24 ? 3 : 0
    this.#mapTypeSize = this.#baseSize + 4 * this.#ptr + (words === 0 ? 8 : (words + 1) * this.#ptr)
  }

  /** The type whose descriptor is at `addr`; undefined where no plausible one is. */
  at(addr: number): GoType | undefined {
    if (this.#known.has(addr)) return this.#known.get(addr)
    const type = this.#read(addr)
    this.#known.set(addr, type)
    return type
  }

  /** Whether `addr` lies where the linker puts type descriptors. */
  inRegion(addr: number): boolean {
    return this.#region(addr) !== undefined
  }

  /** What a pointer, slice, array, channel or map holds. */
  elem(type: GoType): GoType | undefined {
    const at = type.addr + this.#baseSize
    switch (type.kind) {
      case 'ptr':
      case 'slice':
      case 'array':
      case 'chan':
        return this.at(this.#word(at))
      case 'map':
        return this.at(this.#word(at + this.#ptr))
      default:
        return undefined
    }
  }

  /** What a map's keys are. */
  key(type: GoType): GoType | undefined {
    return type.kind === 'map' ? this.at(this.#word(type.addr + this.#baseSize)) : undefined
  }

  /** ChanDir: 1 receive, 2 send, 3 both. */
  direction(type: GoType): 'both' | 'send' | 'recv' {
    const dir = this.#word(type.addr + this.#baseSize + this.#ptr)
    return dir === 1 ? 'recv' : dir === 2 ? 'send' : 'both'
  }

  /** Methods that an interface type asks for: interfaceType {pkgPath, methods []imethod}. */
  methodCount(type: GoType): number {
    return this.#word(type.addr + this.#baseSize + 2 * this.#ptr)
  }

  /** funcType {inCount u16, outCount u16, upper bit: variadic}, then uncommonType, then the types of both. */
  signature(type: GoType): { params: number[]; results: number[]; variadic: boolean } {
    const at = type.addr + this.#baseSize
    if (!this.memory.has(at, 4)) return { params: [], results: [], variadic: false }
    const [ins, outs] = [this.memory.u16(at), this.memory.u16(at + 2)]
    const list = at + this.#ptr + (this.#uncommon(type) === undefined ? 0 : 16)
    const words = (from: number, count: number): number[] =>
      Array.from({ length: Math.min(count, maxParams) }, (_, i) => this.#word(list + (from + i) * this.#ptr))
    return { params: words(0, ins), results: words(ins, outs & 0x7fff), variadic: (outs & 0x8000) !== 0 }
  }

  /** Length of an array type. */
  arrayLength(type: GoType): number {
    return this.#word(type.addr + this.#baseSize + 2 * this.#ptr)
  }

  /** structType: pkgPath name, fields []structField{name, typ, offset}. */
  fields(type: GoType): StructField[] {
    const at = type.addr + this.#baseSize + this.#ptr
    const array = this.#word(at)
    const count = Math.min(this.#word(at + this.#ptr), maxFields)
    const fields: StructField[] = []
    for (let i = 0; i < count; i++) {
      const field = array + i * 3 * this.#ptr
      if (!this.memory.has(field, 3 * this.#ptr)) break
      const name = this.#word(field)
      fields.push({
        name: this.#nameAt(name) ?? '?',
        type: this.#word(field + this.#ptr),
        offset: this.#word(field + 2 * this.#ptr),
        // name flags: 1 exported, 2 has tag, 4 has package path, 8 embedded.
        embedded: (this.#byte(name) & 8) !== 0,
      })
    }
    return fields
  }

  /** Names of the type's methods that the linker kept, exported or not. */
  methods(type: GoType): string[] {
    const uncommon = this.#uncommon(type)
    if (uncommon === undefined) return []
    if (!this.memory.has(uncommon, 16)) return []
    const count = Math.min(this.memory.u16(uncommon + 4), maxMethods)
    const methods = uncommon + this.memory.u32(uncommon + 8)
    const names: string[] = []
    for (let i = 0; i < count && this.memory.has(methods + i * 16, 4); i++) {
      const name = this.#nameOffset(type.addr, this.memory.i32(methods + i * 16))
      if (name !== undefined) names.push(name)
    }
    return names
  }

  /** Import path of a named type's package. */
  pkgPath(type: GoType): string {
    const uncommon = this.#uncommon(type)
    if (uncommon === undefined) return ''
    if (!this.memory.has(uncommon, 4)) return ''
    return this.#nameOffset(type.addr, this.memory.i32(uncommon)) ?? ''
  }

  get #baseSize(): number {
    return this.#ptr === 8 ? 48 : 32
  }

  #read(addr: number): GoType | undefined {
    if (addr === 0 || addr % 4 !== 0 || !this.memory.has(addr, this.#baseSize)) return undefined
    const size = this.memory.word(addr)
    const tflag = this.memory.u8(addr + 2 * this.#ptr + 4)
    const kindByte = this.memory.u8(addr + 2 * this.#ptr + 7)
    const kind = kindNames[kindByte & kindMask]
    if (!kind || kind === 'invalid' || size > 2 ** 47) return undefined
    const name = this.#nameOffset(addr, this.memory.i32(addr + this.#baseSize - 8))
    if (name === undefined && this.inRegion(addr)) return undefined
    return {
      addr,
      size,
      kind,
      name: (tflag & tflagExtraStar) !== 0 ? (name ?? '').slice(1) : (name ?? ''),
      named: (tflag & tflagNamed) !== 0,
      // Go 1.26 (CL 681936) moved the flag from the kind byte (1<<5) to tflag (1<<5).
      pointerShaped: (kindByte & 32) !== 0 || (tflag & 32) !== 0,
    }
  }

  /** uncommonType lies behind the kind's own descriptor. */
  #uncommon(type: GoType): number | undefined {
    if ((this.#byte(type.addr + 2 * this.#ptr + 4) & tflagUncommon) === 0) return undefined
    const words: Partial<Record<Kind, number>> = {
      ptr: 1,
      func: 1,
      slice: 1,
      chan: 2,
      array: 3,
      struct: 4,
      interface: 4,
    }
    if (type.kind === 'map') return type.addr + this.#mapTypeSize
    return type.addr + this.#baseSize + (words[type.kind] ?? 0) * this.#ptr
  }

  #region(addr: number): TypeRegion | undefined {
    return this.#regions.find(({ types, etypes }) => addr >= types && addr < etypes)
  }

  #nameOffset(base: number, offset: number): string | undefined {
    const region = this.#region(base)
    if (!region || offset <= 0 || region.types + offset >= region.etypes) return undefined
    return this.#nameAt(region.types + offset)
  }

  /** A name: flag byte, varint length, text (Go 1.17, CL 318249, made the length a varint). */
  #nameAt(addr: number): string | undefined {
    if (addr === 0) return ''
    let length = 0
    for (let at = addr + 1, shift = 0; shift < 21 && this.memory.has(at, 1); shift += 7) {
      const byte = this.memory.u8(at++)
      length |= (byte & 127) << shift
      if (byte >= 128) continue
      const text = length <= maxName ? this.memory.tryRead(at, length) : undefined
      return text && utf8(text)
    }
    return undefined
  }

  #byte(addr: number): number {
    return this.memory.has(addr, 1) ? this.memory.u8(addr) : 0
  }

  #word(addr: number): number {
    return this.memory.has(addr, this.#ptr) ? this.memory.word(addr) : 0
  }
}
