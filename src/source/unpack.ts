/** Unpacks what can't be read in place to a private temporary file that no name leads to. */

import { randomBytes } from 'node:crypto'
import { closeSync, constants, ftruncateSync, openSync, statfsSync, unlinkSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { FormatError, reasonOf, SystemError } from '../base/errors.ts'
import { unpackLz4 } from '../lz4/index.ts'
import { heldIdentities } from './age.ts'
import type { Compression } from './compression.ts'
import { FileSource } from './file-source.ts'

export interface UnpackOrder {
  input: number
  output: number
  compression: Compression
  /** int32 done, int32 length of the message, int64 bytes read, int64 bytes written, message. */
  shared: SharedArrayBuffer
  size: number
  mostBytes: number
  /** Secret keys, for `age`. */
  identities: readonly string[]
}

export interface Unpacked {
  fd: number
  size: number
  warnings: string[]
}

export type Progress = (done: number, of: number) => void

/** An open file without a name, mode 0600. */
export function privateTemporaryFile(directory: string = tmpdir()): number {
  const path = join(directory, `gocore-sink-${randomBytes(12).toString('hex')}`)
  let fd: number
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  } catch (error) {
    throw new SystemError(`Cannot unpack to ${directory}: ${reasonOf(error)}`, { cause: error })
  }
  unlinkSync(path)
  return fd
}

/** Unpacks the whole of `input`. Where it is damaged or cut, the result holds what came before, with a warning. */
export function unpack(
  name: string,
  input: { fd: number; size: number },
  compression: Compression,
  options: { onProgress?: Progress | undefined; directory?: string | undefined } = {},
): Unpacked {
  const directory = options.directory ?? tmpdir()
  const output = privateTemporaryFile(directory)
  try {
    const { bavail, bsize } = statfsSync(directory)
    // A few kilobytes can unpack to terabytes; leave the machine a tenth of its room.
    const mostBytes = Math.floor(bavail * bsize * 0.9)
    const unpacked =
      compression === 'lz4'
        ? unpackInOrder(name, input, output, mostBytes, options.onProgress)
        : unpackInWorker(name, input, output, compression, mostBytes, options.onProgress)
    if (compression !== 'age' && unpacked.size === 0 && unpacked.warnings.length > 0)
      throw new FormatError({ file: name, section: compression, offset: 0 }, unpacked.warnings[0]!)
    return unpacked
  } catch (error) {
    closeSync(output)
    throw error
  }
}

function unpackInOrder(
  name: string,
  input: { fd: number; size: number },
  output: number,
  mostBytes: number,
  onProgress?: Progress,
): Unpacked {
  const warnings: string[] = []
  const file = new FileSource(name, input.fd, input.size)
  let size = 0
  for (const piece of unpackLz4(file, warning => warnings.push(warning))) {
    if (size + piece.length > mostBytes) {
      warnings.push(`it unpacks to more than the ${mostBytes} bytes that there is room for`)
      break
    }
    for (let at = 0; at < piece.length; ) at += writeSync(output, piece, at)
    size += piece.length
    // What it will come to isn't known, so the bar never fills before the end.
    onProgress?.(size, Math.max(size, input.size * 3))
  }
  return { fd: output, size, warnings }
}

function unpackInWorker(
  name: string,
  input: { fd: number; size: number },
  output: number,
  compression: Compression,
  mostBytes: number,
  onProgress?: Progress,
): Unpacked {
  const shared = new SharedArrayBuffer(24 + 512)
  const state = new Int32Array(shared, 0, 2)
  const counts = new BigInt64Array(shared, 8, 2)
  const order: UnpackOrder = {
    input: input.fd,
    output,
    compression,
    shared,
    size: input.size,
    mostBytes,
    identities: compression === 'age' ? heldIdentities() : [],
  }
  // Beside this file in the sources, beside the bundle in an installation.
  const script = new URL(
    import.meta.url.endsWith('.ts') ? './unpack-worker.ts' : './unpack-worker.js',
    import.meta.url,
  )
  const worker = new Worker(script, { workerData: order })
  let before = -1
  let idle = 0
  while (Atomics.load(state, 0) === 0) {
    Atomics.wait(state, 0, 0, 100)
    const done = Number(Atomics.load(counts, 0))
    onProgress?.(done, input.size)
    idle = done === before ? idle + 1 : 0
    before = done
    // A thread that died can't say so while this one sleeps.
    if (idle > 300) {
      void worker.terminate()
      throw new SystemError(`Cannot unpack ${name}: no progress for half a minute, after ${done} bytes`)
    }
  }
  worker.unref()
  const size = Number(counts[1]!)
  ftruncateSync(output, size)
  const text = Buffer.from(new Uint8Array(shared, 24, state[1]!)).toString()
  return { fd: output, size, warnings: text === '' ? [] : [`${compression}: ${text}; what follows is lost`] }
}
