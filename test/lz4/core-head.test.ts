/** The second copy of a core's head, over a real core. */
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { fixtureCore, fixtureExecutable } from '../../scripts/fuzz.d/fixture.ts'
import { bytesSource } from '../../src/engine/bytes/byte-source.ts'
import { openCore, openElf } from '../../src/engine/index.ts'
import { readIndex } from '../../src/lz4/block-index.ts'
import { CoreHead, mostHead } from '../../src/lz4/core-head.ts'
import { openLz4 } from '../../src/lz4/index.ts'
import { openCoreFile } from '../../src/source/index.ts'
import { packLz4 } from '../support/lz4-file.ts'

const dir = mkdtempSync(join(tmpdir(), 'gocore-head-'))
after(() => rmSync(dir, { recursive: true }))
const needsLz4 = { skip: spawnSync('lz4', ['--version']).status === 0 ? false : 'lz4 is not installed' }

const core = fixtureCore()
const raw = Buffer.from(core.read(0, core.size))
const { segments } = openElf(core)
const headSize = Math.min(
  ...segments.filter(({ type, filesz }) => type === 1 && filesz > 0).map(s => s.offset),
)
const whole = packLz4(raw, 1 << 20)
const indexAt = Number(whole.readBigUInt64LE(whole.length - 32))
const copyAt = whole.lastIndexOf(Buffer.from('5a2a4d18', 'hex'), indexAt)

const goroutines = (bytes: Buffer, name = 'x') => {
  const reader = openLz4(bytesSource(name, bytes), { tolerant: true })
  const { runtime } = openCore(reader, { executable: fixtureExecutable(), find: () => undefined })
  return { found: [...runtime!.goroutines()].map(({ id, status }) => [id, status]), reader }
}

/** The middle of the program headers, or the first bytes of the ELF header, as they lie in the first block. */
function rotten(...offsets: number[]): Buffer {
  const bytes = Buffer.from(whole)
  for (const offset of offsets) bytes[offset]! ^= 0x40
  return bytes
}
/** Behind frame header, size word, token and its length: byte 20 or so of the ELF header, a literal. */
const inHeader = 7 + 4 + 20

describe('the copy of the head', () => {
  test('holds all up to the first segment, and the index is found behind it', () => {
    const reader = openLz4(bytesSource('x', whole))
    assert.ok(reader.indexed)
    assert.ok(reader.readHead()!.equals(raw.subarray(0, headSize)))
    assert.equal(whole.readUInt32LE(copyAt + 4) + 8, indexAt - copyAt)
    assert.ok(indexAt - copyAt < whole.length / 20, `${indexAt - copyAt} bytes of ${whole.length}`)
  })

  test('stands in where the first block is damaged: same goroutines, and a warning', () => {
    assert.throws(() => openCore(bytesSource('x', rottenContent()), { find: () => undefined }))
    const { found, reader } = goroutines(rotten(inHeader))
    assert.deepEqual(found, goroutines(whole).found)
    assert.equal(reader.warnings.length, 1)
    assert.match(
      reader.warnings[0]!,
      /the checksum of block 0 is wrong; the core's head, its first \d+ bytes, is read from its copy; bytes \d+ to \d+ of the core may be wrong/,
    )
    assert.throws(() => openLz4(bytesSource('x', rotten(inHeader))).read(0, 64), /checksum of block 0/)
  })

  test('is found by a scan, where the index is damaged too', () => {
    const { found, reader } = goroutines(rotten(inHeader, whole.length - 60))
    assert.equal(reader.indexed, false)
    assert.deepEqual(found, goroutines(whole).found)
  })

  test('damaged itself: one sentence says that both are', () => {
    const bytes = rotten(inHeader, copyAt + 40)
    assert.throws(
      () => openLz4(bytesSource('x', bytes)).readHead(),
      /copy of the head at byte \d+: its checksum is wrong/,
    )
    const reader = openLz4(bytesSource('x', bytes), { tolerant: true })
    reader.read(0, 64)
    assert.match(
      reader.warnings.join(),
      /checksum of block 0 is wrong, and the copy of the core's head is damaged: its checksum is wrong/,
    )
    assert.throws(() => openLz4(bytesSource('x', rotten(copyAt))).readHead(), /its magic number is 0x/)
  })

  test('the first bytes of the file: its index tells what it is', () => {
    const path = join(dir, 'headless.lz4')
    writeFileSync(path, rotten(1))
    using source = openCoreFile(path)
    assert.ok(Buffer.from(source.read(0, raw.length)).equals(raw))
    assert.match(source.warnings[0]!, /the LZ4 frame header is damaged/)
  })

  test('lz4 passes over it, and so does a reader that knows of the index alone', needsLz4, () => {
    const path = join(dir, 'whole.lz4')
    writeFileSync(path, whole)
    execFileSync('lz4', ['-t', '-q', path])
    execFileSync('lz4', ['-d', '-q', '-f', path, join(dir, 'whole')])
    assert.ok(readFileSync(join(dir, 'whole')).equals(raw))
    assert.equal(readIndex(bytesSource('x', whole))!.count, Math.ceil(raw.length / (1 << 20)) + 1)
  })

  test('what is no core has none', () => {
    const file = packLz4(Buffer.alloc(200_000, 'text; '), 65536)
    assert.equal(openLz4(bytesSource('x', file)).readHead(), undefined)
  })
})

function rottenContent(): Buffer {
  const bytes = Buffer.from(raw)
  bytes.fill(0xff, 32, 48)
  return bytes
}

describe('CoreHead', () => {
  test('takes the content in pieces of any size', () => {
    for (const size of [1, 63, 4096, 100_000]) {
      const head = new CoreHead()
      for (let at = 0; at < Math.min(raw.length, 2 * headSize); at += size)
        head.feed(raw.subarray(at, at + size))
      assert.ok(head.bytes.equals(raw.subarray(0, headSize)), `${size}`)
    }
  })

  test('counts headers beyond 16 bits by where the notes begin', () => {
    const count = 70_000
    const notesAt = 64 + count * 56
    const file = Buffer.alloc(12 << 20)
    raw.copy(file, 0, 0, 64)
    file.writeBigUInt64LE(64n, 32)
    file.writeUInt16LE(0xffff, 56)
    for (let i = 0; i < count; i++) file.writeUInt32LE(i === 0 ? 4 : 1, 64 + i * 56)
    file.writeBigUInt64LE(BigInt(notesAt), 64 + 8)
    file.writeBigUInt64LE(1000n, 64 + 32)
    for (let i = 1; i < count; i++) {
      file.writeBigUInt64LE(BigInt(notesAt + 4096 * i), 64 + i * 56 + 8)
      file.writeBigUInt64LE(4096n, 64 + i * 56 + 32)
    }
    const head = new CoreHead()
    for (let at = 0; at < file.length; at += 1 << 20) head.feed(file.subarray(at, at + (1 << 20)))
    assert.equal(head.bytes.length, notesAt + 4096)
  })

  test('is bounded, whatever the headers promise', () => {
    const file = Buffer.from(raw.subarray(0, 64))
    file.writeUInt16LE(0xffff, 56)
    const head = new CoreHead()
    head.feed(file)
    for (let i = 0; i < 20; i++) head.feed(Buffer.alloc(1 << 20))
    assert.ok(head.bytes.length <= mostHead)
  })
})
