/**
 * The native functions of the `lz4` package. Only its two addons are loaded: the package's own entry also pulls in its
 * stream classes and a JavaScript xxHash, which costs the handler 8 ms that a crashed process is held.
 */
import { createRequire } from 'node:module'

interface Lz4Addon {
  compress(input: Uint8Array, output: Uint8Array, start?: number, end?: number): number
  uncompress(input: Uint8Array, output: Uint8Array, start?: number, end?: number): number
}

interface XxhashAddon {
  xxHash(input: Uint8Array, seed: number): number
  init(seed: number): Buffer
  update(state: Buffer, input: Uint8Array): void
  digest(state: Buffer): number
}

const require = createRequire(import.meta.url)
const lz4 = require('lz4/build/Release/lz4.node') as Lz4Addon
const xxhash = require('lz4/build/Release/xxhash.node') as XxhashAddon

/** The most bytes that `length` bytes can take when compressed (LZ4_COMPRESSBOUND of lz4.h). */
export const compressBound = (length: number): number => length + Math.floor(length / 255) + 16

/** Compresses `input` into `output`; answers the compressed length, or 0 when it does not fit. */
export function encodeBlock(input: Uint8Array, output: Uint8Array): number {
  return lz4.compress(input, output)
}

/** Decompresses one block; answers the number of bytes written, or a negative number where the block is damaged. */
export function decodeBlock(input: Uint8Array, output: Uint8Array): number {
  return lz4.uncompress(input, output)
}

/** XXH32 with seed 0, unsigned, as the LZ4 frame format uses it. */
export const xxh32 = (input: Uint8Array): number => xxhash.xxHash(input, 0) >>> 0

/** The same of bytes that come piece by piece. */
export class Xxh32 {
  readonly #state = xxhash.init(0)

  update(input: Uint8Array): void {
    xxhash.update(this.#state, input)
  }

  digest(): number {
    return xxhash.digest(this.#state) >>> 0
  }
}
