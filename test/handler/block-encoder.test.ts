import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { bytesSource } from '../../src/engine/bytes/byte-source.ts'
import { BlockEncoder, type EncoderOptions } from '../../src/handler/block-encoder.ts'
import { Lz4Writer, openLz4 } from '../../src/lz4/index.ts'

const directory = mkdtempSync(join(tmpdir(), 'gocore-encoder-'))
after(() => rmSync(directory, { recursive: true }))
const handler = join(import.meta.dirname, '../../src/handler/main.ts')
const blockSize = 65536

/** Blocks that differ, every third of zeros. */
const block = (i: number): Buffer =>
  i % 3 === 0 ? Buffer.alloc(blockSize) : Buffer.alloc(blockSize, `block ${i} of the core, `)

function encode(count: number, options: Partial<EncoderOptions>): { file: Buffer; took: number } {
  const parts: Buffer[] = []
  const writer = new Lz4Writer({ write: bytes => parts.push(Buffer.from(bytes)) }, blockSize)
  const encoder = new BlockEncoder(writer, { threads: 2, script: handler, slots: 4, ...options })
  const began = performance.now()
  for (let i = 0; i < count; i++) {
    const slot = encoder.take()
    block(i).copy(encoder.buffer(slot))
    encoder.submit(slot)
  }
  encoder.finish(Buffer.from('the end of it'))
  encoder.close()
  return { file: Buffer.concat(parts), took: performance.now() - began }
}

function check(file: Buffer, count: number): void {
  const reader = openLz4(bytesSource('x', file))
  assert.equal(reader.size, count * blockSize + 13)
  for (let i = 0; i < count; i++)
    assert.ok(reader.read(i * blockSize, blockSize).equals(block(i)), `block ${i} is in its place`)
}

describe('BlockEncoder', () => {
  test('keeps the order with threads', () => {
    check(encode(400, {}).file, 400)
  })

  test('does without threads', () => {
    check(encode(50, { threads: 0 }).file, 50)
  })

  test('does what threads leave that end at once', () => {
    const script = join(directory, 'ends.mjs')
    writeFileSync(script, 'process.exit(1)\n')
    check(encode(60, { script, patience: 300 }).file, 60)
  })

  test('is in no hurry with threads that may not hurry', {
    skip: process.getuid?.() !== 0 ? 'giving up a right takes root' : false,
  }, () => {
    const script = join(directory, 'hurries.ts')
    const source = join(import.meta.dirname, '../../src')
    writeFileSync(
      script,
      `import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { BlockEncoder } from '${source}/handler/block-encoder.ts'
import { Lz4Writer } from '${source}/lz4/index.ts'
const encoder = new BlockEncoder(new Lz4Writer({ write: () => {} }, ${blockSize}), {
  threads: 2, script: '${handler}', slots: 4, patience: 600_000,
})
const threads = () => readdirSync('/proc/self/task').length
const before = threads()
// Threads take their time to come up.
let until = 60_000
for (let i = 0; performance.now() < until; i++) {
  if (until === 60_000 && threads() >= before + 2) until = performance.now() + 1500
  const slot = encoder.take()
  encoder.buffer(slot).fill(\`block \${i} \`)
  encoder.submit(slot)
  encoder.isUrgent = i % 100 < 50
}
assert.ok(threads() >= before + 2, 'they are there still')
encoder.finish(Buffer.from('the end'))
encoder.close()
`,
    )
    const words = ['--bounding-set=-sys_nice', 'nice', '-n', '5', process.execPath]
    const { status, stderr } = spawnSync(
      'setpriv',
      [...words, '--disable-warning=ExperimentalWarning', script],
      {
        encoding: 'utf8',
        timeout: 60_000,
      },
    )
    assert.equal(status, 0, stderr)
  })

  test('does at once what threads leave that die over a block', () => {
    const script = join(directory, 'dies.ts')
    writeFileSync(
      script,
      `import { workerData } from 'node:worker_threads'
import { BlockRing } from '${join(import.meta.dirname, '../../src/handler/block-ring.ts')}'
const ring = new BlockRing(workerData.slots, workerData.blockSize, workerData.memory)
ring.sayReady()
while (ring.claim() === undefined) ring.awaitTicket()
ring.sayGone()
`,
    )
    check(encode(3000, { script, patience: 600_000 }).file, 3000)
  })

  test('gives up threads that take a block and never finish it', () => {
    const script = join(directory, 'hangs.ts')
    writeFileSync(
      script,
      `import { workerData } from 'node:worker_threads'
import { BlockRing } from '${join(import.meta.dirname, '../../src/handler/block-ring.ts')}'
const ring = new BlockRing(workerData.slots, workerData.blockSize, workerData.memory)
ring.sayReady()
while (ring.claim() === undefined) ring.awaitTicket()
`,
    )
    let idle = 0
    const { file, took } = encode(3000, { script, patience: 400, idle: () => idle++ })
    check(file, 3000)
    assert.ok(took < 10_000)
    assert.ok(idle > 0, 'the pipe is emptied while this thread waits')
  })
})
