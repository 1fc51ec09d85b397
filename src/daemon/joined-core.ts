/**
 * What a core is that was put together of two places: the part that stalled or failing storage had acknowledged, and the
 * rest. Each block is decoded, which compares its checksum; a block that storage did not keep after all costs that block.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import type { StoredCore } from '../archive/manifest.ts'
import { FormatError, reasonOf } from '../base/errors.ts'
import { readIndex } from '../lz4/block-index.ts'
import { formatFrameHeader } from '../lz4/frame.ts'
import { openLz4 } from '../lz4/index.ts'
import { FileSource, openRegular } from '../source/file-source.ts'

/** The manifest's account of the file at `path`, `core` being the spool's of it. */
export function describeJoined(core: StoredCore, path: string): StoredCore {
  mendHeader(path)
  const { fd, size } = openRegular(path)
  using file = new FileSource(path, fd, size)
  const { continues: _, ...rest } = core
  const joined: StoredCore = { ...rest, stored_size: size }
  const bytes = { name: path, size, read: (at: number, length: number) => Buffer.from(file.read(at, length)) }
  try {
    const reader = openLz4(bytes)
    const { count, starts } = reader.table
    let lost = 0
    for (let i = 0; i < count; i++)
      try {
        reader.read(starts[i]!, starts[i + 1]! - starts[i]!)
      } catch (error) {
        if (!(error instanceof FormatError)) throw error
        lost += starts[i + 1]! - starts[i]!
      }
    joined.raw_size = reader.size
    if (lost > 0)
      return cut(joined, `${lost} of ${reader.size} bytes that storage had taken before it failed are lost`)
    return joined
  } catch (error) {
    return cut({ ...joined, raw_size: 0 }, `what storage kept can't be read: ${reasonOf(error)}`)
  }
}

function cut(core: StoredCore, detail: string): StoredCore {
  const more = core.detail === undefined ? detail : `${core.detail}; ${detail}`
  return { ...core, state: 'truncated', reason: core.reason ?? 'storage-error', detail: more }
}

/** Where the beginning is lost, the index at the end still knows the blocks, but only a header makes it an LZ4 file. */
function mendHeader(path: string): void {
  const { fd, size } = openRegular(path)
  let header: Uint8Array
  {
    using file = new FileSource(path, fd, size)
    if (size < 7 || file.read(0, 4).some(byte => byte !== 0)) return
    const bytes = {
      name: path,
      size,
      read: (at: number, length: number) => Buffer.from(file.read(at, length)),
    }
    try {
      const table = readIndex(bytes)
      if (table === undefined) return
      header = formatFrameHeader(table.blockMax)
    } catch {
      return
    }
  }
  const target = openSync(path, 'r+')
  try {
    writeSync(target, header, 0, header.length, 0)
  } finally {
    closeSync(target)
  }
}
