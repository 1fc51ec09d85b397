/** Memory laid by hand: pieces of bytes at addresses. Little-endian, 64 bits. */
import { SplicedMemory } from '../../src/engine/core/memory.ts'

export class FakeMemory {
  readonly #pieces: { addr: number; bytes: Uint8Array }[] = []

  put(addr: number, bytes: Uint8Array): this {
    this.#pieces.push({ addr, bytes })
    return this
  }

  words(addr: number, ...values: (number | bigint)[]): this {
    const bytes = new Uint8Array(8 * values.length)
    const view = new DataView(bytes.buffer)
    for (const [i, value] of values.entries())
      view.setBigUint64(8 * i, BigInt.asUintN(64, BigInt(value)), true)
    return this.put(addr, bytes)
  }

  text(addr: number, text: string): this {
    return this.put(addr, new TextEncoder().encode(text))
  }

  /** All that was put so far; what was put later wins. */
  memory(): SplicedMemory {
    const start = Math.min(...this.#pieces.map(({ addr }) => addr))
    const end = Math.max(...this.#pieces.map(({ addr, bytes }) => addr + bytes.length))
    const all = new Uint8Array(end - start)
    for (const { addr, bytes } of this.#pieces) all.set(bytes, addr - start)
    const source = {
      name: 'memory',
      size: all.length,
      read: (at: number, n: number) => all.subarray(at, at + n),
    }
    const regions = [{ start, end, source, offset: 0, origin: 'core' as const }]
    return new SplicedMemory(regions, { ptrSize: 8, littleEndian: true })
  }
}
