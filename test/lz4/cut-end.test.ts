/** What is put behind a file that was cut, over a real core. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fixtureCore } from '../../scripts/fuzz.d/fixture.ts'
import { bytesSource } from '../../src/engine/bytes/byte-source.ts'
import { endOfCut, openLz4 } from '../../src/lz4/index.ts'
import { packLz4 } from '../support/lz4-file.ts'

const dir = mkdtempSync(join(tmpdir(), 'gocore-cut-'))
after(() => rmSync(dir, { recursive: true }))
const haveLz4 = spawnSync('lz4', ['--version']).status === 0

const core = fixtureCore()
const raw = Buffer.from(core.read(0, core.size))
const whole = packLz4(raw, 65536)
const { offsets, count, starts } = openLz4(bytesSource('x', whole)).table
const headSize = openLz4(bytesSource('x', whole)).readHead()!.length

function ended(file: Buffer, room?: number): Buffer {
  const end = endOfCut(bytesSource('x', file), room)
  assert.ok(end !== undefined)
  return Buffer.concat([file.subarray(0, end.at), end.bytes])
}

/** Within blocks, between them, behind the last one, behind the end mark. */
const cuts = [
  ...[1, 2, 5, count - 2, count - 1].map(block => offsets[block]!),
  ...[1, 3, count - 1].map(block => offsets[block]! + 9),
  offsets[count - 1]! + 4 + 16 + 4,
  offsets[count - 1]! + 4 + 16 + 4 + 4,
]

describe('endOfCut()', () => {
  for (const cut of cuts)
    test(`after ${cut} bytes makes a file with index and copy of the head`, () => {
      const before = openLz4(bytesSource('x', whole.subarray(0, cut)))
      const file = ended(whole.subarray(0, cut))
      const reader = openLz4(bytesSource('x', file))
      assert.ok(reader.indexed)
      assert.deepEqual(reader.warnings, [])
      assert.equal(reader.size, before.size)
      assert.ok(reader.read(0, reader.size).equals(raw.subarray(0, before.size)))
      assert.ok(reader.readHead()!.equals(raw.subarray(0, Math.min(headSize, before.size))))
      assert.equal(endOfCut(bytesSource('x', file)), undefined)
      if (!haveLz4) return
      writeFileSync(join(dir, 'file.lz4'), file)
      execFileSync('lz4', ['-t', '-q', join(dir, 'file.lz4')])
      execFileSync('lz4', ['-d', '-q', '-f', join(dir, 'file.lz4'), join(dir, 'file')])
      assert.ok(readFileSync(join(dir, 'file')).equals(raw.subarray(0, before.size)))
    })

  test('reads the head from the copy where the first block rots then', () => {
    const file = ended(whole.subarray(0, offsets[5]!))
    file[offsets[0]! + 30]! ^= 0x40
    const reader = openLz4(bytesSource('x', file), { tolerant: true })
    const head = Math.min(headSize, starts[5]!)
    assert.ok(reader.read(0, head).equals(raw.subarray(0, head)))
    assert.equal(reader.warnings.length, 1)
  })

  test('leaves out what there is no room for', () => {
    const cut = whole.subarray(0, offsets[5]!)
    const roomy = ended(cut).length - cut.length
    const file = ended(cut, roomy - 1)
    assert.ok(file.length < cut.length + roomy)
    const reader = openLz4(bytesSource('x', file))
    assert.ok(reader.indexed)
    assert.equal(reader.readHead(), undefined)
    assert.ok(reader.read(0, reader.size).equals(raw.subarray(0, starts[5]!)))
  })

  test('of a damaged first block there is no copy, and the others stay where they are', () => {
    const cut = Buffer.from(whole.subarray(0, offsets[5]!))
    cut[offsets[0]! + 30]! ^= 0x40
    const reader = openLz4(bytesSource('x', ended(cut)))
    assert.equal(reader.readHead(), undefined)
    assert.throws(() => reader.read(0, 10), /checksum of block 0/)
    assert.ok(reader.read(65536, 65536).equals(raw.subarray(65536, 131072)))
  })

  test('of a file that has had an end, whose index is damaged', () => {
    const once = ended(whole.subarray(0, offsets[5]!))
    once[once.length - 60]! ^= 1
    const again = openLz4(bytesSource('x', ended(once)))
    assert.ok(again.indexed)
    assert.equal(again.size, starts[5]!)
    assert.ok(again.readHead() !== undefined)
  })

  test('has nothing to do with what is not cut, not LZ4, or empty', () => {
    for (const file of [whole, raw, whole.subarray(0, 7), Buffer.alloc(0)])
      assert.equal(endOfCut(bytesSource('x', file)), undefined)
  })
})
