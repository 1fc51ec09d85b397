import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { closeSync, readFileSync, writeSync } from 'node:fs'
import { describe, test } from 'node:test'
import { openLibc } from '../../src/handler/libc.ts'
import { type PipeCalls, PipeSpool, spoolLimit } from '../../src/handler/pipe-spool.ts'

const libc = openLibc()
const skip = libc === undefined ? 'this Node has no node:ffi' : false
const megabyte = 1 << 20

/** Larger pipes take CAP_SYS_RESOURCE, which the kernel's helpers have and tests may not. */
const small: PipeCalls = {
  setPipeSize: fd => libc!.setPipeSize(fd, megabyte),
  pipe: () => libc!.pipe(),
  movePipe: (from, to, most) => libc!.movePipe(from, to, most),
}

const chunk = (i: number): Buffer => Buffer.alloc(65536 - (i % 5) * 1000, `chunk ${i};`)

describe('PipeSpool', { skip }, () => {
  test('gives back what it took, in order, and ends with its source', () => {
    const source = libc!.pipe()!
    const spool = new PipeSpool(small, source.read, 8 * 64 * megabyte)
    const sent = createHash('sha256')
    const got = createHash('sha256')
    const buffer = Buffer.alloc(300_000)
    for (let i = 0; i < 400; i++) {
      writeSync(source.write, chunk(i))
      sent.update(chunk(i))
      spool.fill()
      // Slower than the writer for a while, then faster.
      if (i % 3 === 0 || i > 100)
        while (!spool.isEmpty && i % 7 !== 0) got.update(buffer.subarray(0, spool.read(buffer, 0)))
    }
    assert.equal(spool.ended, false)
    closeSync(source.write)
    spool.fill()
    assert.equal(spool.ended, true)
    while (!spool.isEmpty) got.update(buffer.subarray(0, spool.read(buffer, 0)))
    spool.close()
    closeSync(source.read)
    assert.equal(got.digest('hex'), sent.digest('hex'))
  })

  test('takes no more than it may', () => {
    const source = libc!.pipe()!
    const spool = new PipeSpool(small, source.read, 2 * 64 * megabyte)
    let taken = 0
    for (let i = 0; i < 40; i++) {
      writeSync(source.write, Buffer.alloc(60_000))
      spool.fill()
      taken += 60_000
      if (taken > 1.9 * megabyte) break
    }
    const buffer = Buffer.alloc(megabyte)
    let read = 0
    while (!spool.isEmpty) read += spool.read(buffer, 0)
    assert.ok(read > megabyte && read <= 2 * megabyte)
    spool.close()
  })

  test('is none where the kernel lets us have no larger pipes', () => {
    const source = libc!.pipe()!
    writeSync(source.write, 'x')
    const spool = new PipeSpool({ ...small, setPipeSize: () => false }, source.read, 8 * 64 * megabyte)
    spool.fill()
    assert.equal(spool.isEmpty, true)
    spool.close()
  })
})

test('spoolLimit() leaves most of the memory alone, however many ask for their share', () => {
  const available = Number(/^MemAvailable:\s*([0-9]+) kB$/m.exec(readFileSync('/proc/meminfo', 'latin1'))![1])
  assert.ok(spoolLimit(1) <= Math.min(2 ** 31, available * 150))
  assert.ok(spoolLimit(1) >= Math.min(2 ** 31, available * 100))
  assert.ok(spoolLimit(16) <= available * 10)
})
