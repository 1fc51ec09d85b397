/**
 * Unpacks a stream from one descriptor to another in a thread of its own, because Node's decompressors are streams and
 * a ByteSource is synchronous: the opener sleeps until `state` says that the work is done, and looks at the progress.
 * A stream that ends early or is damaged leaves what it gave.
 */
import { createReadStream, writeSync } from 'node:fs'
import { Readable } from 'node:stream'
import { workerData } from 'node:worker_threads'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import type { XzReadableStream } from 'xz-decompress'
import type { UnpackOrder } from './unpack.ts'

const { input, output, compression, shared, size, mostBytes, identities } = workerData as UnpackOrder
const state = new Int32Array(shared, 0, 2)
const counts = new BigInt64Array(shared, 8, 2)
const message = new Uint8Array(shared, 24)

async function* pieces(): AsyncGenerator<Uint8Array> {
  if (compression === 'age') {
    const { decrypt } = await import('./age.ts')
    for await (const piece of decrypt(identities, input)) {
      Atomics.add(counts, 0, BigInt(piece.length))
      yield piece
    }
    return
  }
  const packed = createReadStream('', {
    fd: input,
    autoClose: false,
    start: 0,
    end: size - 1,
    highWaterMark: 1 << 20,
  })
  packed.on('data', piece => Atomics.add(counts, 0, BigInt(piece.length)))
  if (compression === 'xz') {
    // Loaded here, so that a failure is reported like any other; a CommonJS module without named exports.
    const xz = (await import('xz-decompress')) as unknown as {
      default: { XzReadableStream: typeof XzReadableStream }
    }
    const stream = new xz.default.XzReadableStream(Readable.toWeb(packed) as never)
    for await (const piece of stream as unknown as AsyncIterable<Uint8Array>) yield piece
    return
  }
  const decompress = compression === 'gzip' ? createGunzip() : createZstdDecompress()
  packed.on('error', error => decompress.destroy(error))
  packed.pipe(decompress)
  for await (const piece of decompress) yield piece as Uint8Array
}

let problem = ''
let written = 0
try {
  for await (const piece of pieces()) {
    if (written + piece.length > mostBytes) throw new Error(`it unpacks to more than ${mostBytes} bytes`)
    for (let at = 0; at < piece.length; ) at += writeSync(output, piece, at)
    written += piece.length
  }
} catch (error) {
  problem = (error as Error).message || 'the stream is damaged'
}
const text = Buffer.from(problem).subarray(0, message.length)
message.set(text)
counts[1] = BigInt(written)
state[1] = text.length
Atomics.store(state, 0, 1)
Atomics.notify(state, 0)
