/** Stacks where what was saved is no address. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { zstdDecompressSync } from 'node:zlib'
import { bytesSource } from '../../../src/engine/bytes/byte-source.ts'
import { openDebugger } from '../../../src/engine/debugger.ts'
import { openCore } from '../../../src/engine/index.ts'

const dir = join(import.meta.dirname, '../../fixtures/till')
const unpack = (name: string): Buffer => zstdDecompressSync(readFileSync(join(dir, `${name}.zst`)))

test('a thread whose goroutine saved no number for a stack pointer has the frames of its own', () => {
  const core = unpack('core')
  const options = { executable: bytesSource('till', unpack('till')), find: () => undefined }
  const { runtime, image } = openCore(bytesSource('core', core), options)
  assert.ok(runtime)
  const struck = runtime.threads.filter(({ machine }) => machine?.curg)
  assert.ok(struck.length > 0)
  for (const { machine } of struck)
    for (const [field, size] of [
      ['g.stack', 16],
      ['g.sched', 8],
      ['g.syscallsp', 8],
    ] as const) {
      const at = machine!.curg + runtime.layout.at(field)
      const segment = image.core.segments.find(({ vaddr, filesz }) => at >= vaddr && at < vaddr + filesz)!
      const offset = segment.offset + (at - segment.vaddr)
      core.fill(0xff, offset, offset + size)
    }
  const damaged = openDebugger(openCore(bytesSource('core', core), options))
  for (const { thread } of struck) damaged.stack({ kind: 'thread', tid: thread.tid })
})
