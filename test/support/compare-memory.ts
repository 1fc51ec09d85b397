/**
 * A program for core_pattern, `|node compare-memory.ts RESULT %P`: reads the core from the process's memory as the handler does,
 * then from the kernel's stream, and writes to RESULT where the two differ.
 */
import { readSync, writeFileSync } from 'node:fs'
import { CoreInput } from '../../src/handler/core-input.ts'
import { type MemoryStream, openMemoryStream } from '../../src/handler/memory-stream.ts'
import { PipeReader } from '../../src/handler/pipe.ts'
import { takeSnapshot } from '../../src/handler/process-info.ts'
import { ProcessMemory } from '../../src/handler/process-memory.ts'
import { takeStandardInput } from '../../src/handler/standard-input.ts'

const [result, pid] = process.argv.slice(2)
const snapshot = takeSnapshot(
  { pid: Number(pid), uid: 0, gid: 0, signal: 6, comm: Buffer.alloc(0), problems: [] },
  [],
)
const fd = takeStandardInput()
let memory: MemoryStream | undefined
let segments = 0
const input = new CoreInput(new PipeReader(fd, () => {}), (size, begin) => {
  segments = size.segments.length
  memory = openMemoryStream(
    () => new ProcessMemory(snapshot.directory!),
    size.segments,
    snapshot.anonymous,
    begin.length,
  )
  return undefined
})
const blockSize = 1 << 20
const block = Buffer.alloc(blockSize)
const other = Buffer.alloc(blockSize)
while (memory === undefined && input.read(block, 0) > 0);
const differences: number[] = []
let compared = 0
let skipped = 0
while (memory !== undefined && !memory.ended) {
  const zeros = memory.skipZeros(blockSize, Number.POSITIVE_INFINITY) * blockSize
  skipped += zeros
  for (let left = zeros; left > 0; ) {
    block.fill(0)
    left -= compare(Math.min(left, blockSize))
  }
  const got = memory.read(block, 0)
  compare(got)
}
const rest = readSync(fd, other, 0, blockSize, null)
writeFileSync(
  result!,
  JSON.stringify({ segments, compared, skipped, differences: differences.slice(0, 20), rest }),
)

function compare(length: number): number {
  for (let at = 0; at < length; ) {
    const got = readSync(fd, other, at, length - at, null)
    if (got === 0) break
    at += got
  }
  for (let page = 0; page < length; page += 4096)
    if (block.compare(other, page, Math.min(length, page + 4096), page, Math.min(length, page + 4096)) !== 0)
      differences.push(compared + page)
  compared += length
  return length
}
