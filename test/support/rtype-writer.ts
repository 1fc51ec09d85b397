/** Lays Go type descriptors (internal/abi Type and its kin, 64 bits) into a fake memory. */
import { type Kind, kindNames } from '../../src/engine/value/kind.ts'
import type { FakeMemory } from './fake-memory.ts'

export const typesBase = 0x10000
export const typesEnd = 0x20000

export class RtypeWriter {
  readonly memory: FakeMemory
  #next = typesBase + 16

  constructor(memory: FakeMemory) {
    this.memory = memory
    memory.put(typesBase, new Uint8Array(typesEnd - typesBase))
  }

  /** Address of a name: flags, varint length, text. */
  name(text: string, flags = 0): number {
    const bytes = new TextEncoder().encode(text)
    const length = bytes.length < 128 ? [bytes.length] : [(bytes.length & 127) | 128, bytes.length >> 7]
    return this.#place(Uint8Array.from([flags, ...length, ...bytes]), 1)
  }

  /** Address of a descriptor; `extra` words follow the common part, and methods behind them. */
  type(
    name: string,
    kind: Kind,
    size: number,
    { named = true, extra = [], methods = [], direct = false }: TypeOptions = {},
  ): number {
    const nameOff = this.name(name) - typesBase
    const uncommon = methods.length > 0 ? 16 + 16 * methods.length : 0
    const bytes = new Uint8Array(48 + 8 * extra.length + uncommon)
    const view = new DataView(bytes.buffer)
    view.setBigUint64(0, BigInt(size), true)
    view.setUint8(20, (named ? 4 : 0) | (methods.length > 0 ? 1 : 0) | (direct ? 32 : 0))
    view.setUint8(23, kindNames.indexOf(kind))
    view.setInt32(40, nameOff, true)
    for (const [i, word] of extra.entries()) view.setBigUint64(48 + 8 * i, BigInt(word), true)
    const at = 48 + 8 * extra.length
    if (methods.length > 0) {
      view.setUint16(at + 4, methods.length, true)
      view.setUint32(at + 8, 16, true)
      for (const [i, method] of methods.entries())
        view.setInt32(at + 16 + 16 * i, this.name(method) - typesBase, true)
    }
    return this.#place(bytes, 8)
  }

  struct(
    name: string,
    size: number,
    fields: readonly [string, number, number][],
    methods: string[] = [],
  ): number {
    const words = fields.flatMap(([field, type, offset]) => [this.name(field), type, offset])
    const array = this.#place(wordsOf(words), 8)
    return this.type(name, 'struct', size, { extra: [0, array, fields.length, fields.length], methods })
  }

  pointer(name: string, elem: number, methods: string[] = []): number {
    return this.type(name, 'ptr', 8, { named: false, extra: [elem], methods, direct: true })
  }

  #place(bytes: Uint8Array, align: number): number {
    const addr = Math.ceil(this.#next / align) * align
    this.#next = addr + bytes.length
    if (this.#next > typesEnd) throw new Error('no room for more types')
    this.memory.put(addr, bytes)
    return addr
  }
}

interface TypeOptions {
  named?: boolean
  extra?: readonly number[]
  methods?: readonly string[]
  direct?: boolean
}

function wordsOf(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(8 * values.length)
  const view = new DataView(bytes.buffer)
  for (const [i, value] of values.entries()) view.setBigUint64(8 * i, BigInt(value), true)
  return bytes
}
