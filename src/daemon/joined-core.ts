/**
 * What a core is that its handler could not finish in one place: put together of the part that stalled or failing storage
 * had acknowledged, and the rest; or as far as it got before the handler was killed, or the power failed. Each block is decoded, which compares its checksum; a block that storage did not keep after all costs that block.
 */
import { closeSync, constants, fsyncSync, openSync, statSync, writeSync } from 'node:fs'
import type { StoredCore } from '../archive/manifest.ts'
import { FormatError, reasonOf } from '../base/errors.ts'
import type { ByteSource } from '../engine/bytes/byte-source.ts'
import { readIndex } from '../lz4/block-index.ts'
import { formatFrameHeader } from '../lz4/frame.ts'
import { FileSource, openRegular } from '../source/file-source.ts'
import { openCoreFile } from '../source/index.ts'

/** The manifest's account of the file at `path`, `core` being the spool's of it. */
export function describeJoined(core: StoredCore, path: string): StoredCore {
  mendHeader(path)
  const { continues: _, ...rest } = core
  const joined: StoredCore = { ...rest, stored_size: statSync(path).size }
  try {
    using source = openCoreFile(path, { links: false })
    joined.raw_size = source.size
    const size = Math.max(core.raw_size, source.size)
    const damaged = lostBytes(source)
    if (damaged > 0) joined.lost_size = damaged
    const lost = damaged + size - source.size
    return lost === 0 ? joined : cut(joined, `${lost} of ${size} bytes that storage had taken are lost`)
  } catch (error) {
    return cut({ ...joined, raw_size: 0 }, `what storage kept can't be read: ${reasonOf(error)}`)
  }
}

const pieceSize = 65536

/** Bytes of the content in pieces that can't be read: those of blocks that are not what they were. */
export function lostBytes(source: ByteSource): number {
  let lost = 0
  for (let at = 0; at < source.size; at += pieceSize) {
    const length = Math.min(pieceSize, source.size - at)
    try {
      source.read(at, length)
    } catch (error) {
      if (!(error instanceof FormatError)) throw error
      lost += length
    }
  }
  return lost
}

function cut(core: StoredCore, detail: string): StoredCore {
  const more = core.detail === undefined ? detail : `${core.detail}; ${detail}`
  return { ...core, state: 'truncated', reason: core.reason ?? 'storage-error', detail: more }
}

/** The handler's, of which there is an index only at the end of a whole file. */
const blockSize = 1 << 20

/**
 * Where the beginning of the file is lost, what follows would be taken for a core that is not compressed. Its header is
 * known: the block size stands in the index, where there is one.
 */
function mendHeader(path: string): void {
  const { fd, size } = openRegular(path, { links: false })
  let header: Uint8Array
  {
    using file = new FileSource(path, fd, size)
    if (size < 7) return
    header = formatFrameHeader(blockSizeOf(path, file) ?? blockSize)
    const found = Buffer.from(file.read(0, 7))
    const isLz4 = found.subarray(0, 4).equals(header.subarray(0, 4))
    if (found.equals(header) || (isLz4 && blockSizeOf(path, file) === undefined)) return
  }
  const target = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW)
  try {
    writeSync(target, header, 0, header.length, 0)
    fsyncSync(target)
  } finally {
    closeSync(target)
  }
}

function blockSizeOf(name: string, file: ByteSource): number | undefined {
  const read = (at: number, length: number): Buffer => Buffer.from(file.read(at, length))
  try {
    return readIndex({ name, size: file.size, read })?.blockMax
  } catch {
    return undefined
  }
}
