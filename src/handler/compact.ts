/** After the process has been let go: compresses the blocks that were left uncompressed for lack of time. */
import { readFileSync, readSync, statfsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { DumpWriter } from '../archive/dump-writer.ts'
import { blockOverhead, Lz4Writer, openLz4, readContent, storedBit } from '../lz4/index.ts'
import { BlockEncoder } from './block-encoder.ts'
import { blockSize } from './capture.ts'

/** Compressing threads beside the one that reads. */
export const threadsFor = (): number => Math.min(4, Math.max(1, availableParallelism()))

/** statfs(2) f_type of file systems on this machine's own disks or memory. */
const localTypes = new Set([0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0xf2f52010, 0x2fc12fc1])

/**
 * How many bytes may go to the file uncompressed. None on a network file system: there the wire is slower than the
 * compressor. On a local one they stay in the page cache, so a quarter of the free memory and of the free disk.
 */
export function spareFor(dump: DumpWriter): number {
  try {
    const { type, bavail, bsize } = statfsSync(dump.directory)
    if (!localTypes.has(type)) return 0
    const available = Number(
      /^MemAvailable:\s*([0-9]+) kB$/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1] ?? 0,
    )
    return Math.floor(Math.min(available * 1024 * 0.25, bavail * bsize * 0.25))
  } catch {
    return 0
  }
}

/**
 * Rewrites the core's file with all blocks compressed; those that are, go over as they are. Where this fails, the first
 * file stays: it is whole, only larger.
 */
export function compactCore(dump: DumpWriter, script: string): void {
  const file = {
    name: 'core.lz4.part',
    size: dump.size,
    read(offset: number, length: number): Buffer {
      const bytes = Buffer.allocUnsafe(length)
      return bytes.subarray(0, readSync(dump.fd, bytes, 0, length, offset))
    },
  }
  const { table } = openLz4(file, { cache: 0 })
  const replacement = dump.createReplacement()
  try {
    const encoder = new BlockEncoder(new Lz4Writer(replacement, blockSize), {
      threads: threadsFor(),
      script,
      spareBytes: 0,
    })
    let rest = Buffer.alloc(0)
    for (let i = 0; i < table.count; i++) {
      const length = table.starts[i + 1]! - table.starts[i]!
      const stored = (table.words[i]! & storedBit) >>> 0 !== 0
      if (length < blockSize) rest = Buffer.concat([rest, readContent(file, table, i)])
      else if (stored) {
        const slot = encoder.take()
        readContent(file, table, i).copy(encoder.buffer(slot))
        encoder.submit(slot)
      } else
        encoder.copy(file.read(table.offsets[i]!, (table.words[i]! & ~storedBit) + blockOverhead), length)
    }
    encoder.finish(rest)
    encoder.close()
    replacement.take()
  } catch (error) {
    replacement.discard()
    throw error
  }
}
