import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { SinkError } from '../../src/base/errors.ts'
import { openCoreFile } from '../../src/source/index.ts'
import { packLz4 } from '../support/lz4-file.ts'

const dir = mkdtempSync(join(tmpdir(), 'gocore-source-'))
after(() => rmSync(dir, { recursive: true }))
const path = (name: string): string => join(dir, name)
const have = (program: string): boolean => spawnSync(program, ['--version']).status === 0

const raw = Buffer.alloc(5_000_000)
for (let at = 0; at < 2_000_000; at += 8) raw.writeDoubleLE(Math.sin(at), at)

/** Both reads at one offset and reads across pages, blocks and the end. */
function holds(file: string, expected: Buffer): void {
  using source = openCoreFile(file)
  assert.equal(source.size, expected.length)
  for (const [offset, length] of [
    [0, 64],
    [65_530, 12],
    [1 << 20, 3_000_000],
    [expected.length - 3, 100],
    [expected.length, 1],
  ] as const)
    assert.ok(
      Buffer.from(source.read(offset, length)).equals(expected.subarray(offset, offset + length)),
      `${offset}`,
    )
  assert.deepEqual(source.warnings, [])
}

describe('openCoreFile()', () => {
  test('reads plain files', () => {
    writeFileSync(path('core'), raw)
    holds(path('core'), raw)
  })

  test('reads .lz4, .zst and .gz by their content, whatever the name', () => {
    writeFileSync(path('a.core'), packLz4(raw, 1 << 20))
    holds(path('a.core'), raw)
    writeFileSync(path('b.core'), zstdCompressSync(raw))
    holds(path('b.core'), raw)
    writeFileSync(path('c.core'), gzipSync(raw, { level: 1 }))
    holds(path('c.core'), raw)
  })

  for (const options of ['-0', '-9e', '-1 --block-size=1000000', '-T2 -1'])
    test(`reads xz ${options}`, { skip: have('xz') ? false : 'xz is not installed' }, () => {
      writeFileSync(path('d.core'), raw)
      execFileSync('xz', ['-k', '-f', ...options.split(' '), path('d.core')])
      holds(path('d.core.xz'), raw)
    })

  test('reads LZ4 whose blocks depend on one another', {
    skip: have('lz4') ? false : 'lz4 is not installed',
  }, () => {
    execFileSync('lz4', ['-q', '-f', '-BD', '-B4', path('core'), path('linked.lz4')])
    holds(path('linked.lz4'), raw)
  })

  test('opens what a cut file holds, with a warning', () => {
    for (const [name, packed] of [
      ['cut.lz4', packLz4(raw, 1 << 20)],
      ['cut.zst', zstdCompressSync(raw)],
      ['cut.gz', gzipSync(raw, { level: 1 })],
    ] as const) {
      writeFileSync(path(name), packed)
      truncateSync(path(name), 1_500_000)
      using source = openCoreFile(path(name))
      assert.ok(source.size > 500_000 && source.size < raw.length, `${name}: ${source.size}`)
      assert.ok(Buffer.from(source.read(0, source.size)).equals(raw.subarray(0, source.size)))
      assert.equal(source.warnings.length, 1)
    }
  })

  test('refuses with a sentence what is no file or holds nothing', () => {
    mkdirSync(path('directory'))
    execFileSync('mkfifo', [path('fifo')])
    writeFileSync(path('bad.gz'), Buffer.from('1f8b0800000000000003ffffffffffff', 'hex'))
    for (const name of ['missing', 'directory', 'fifo', 'bad.gz'])
      assert.throws(
        () => openCoreFile(path(name)),
        error => error instanceof SinkError,
        name,
      )
  })

  test('leaves no file behind', () => {
    const before = readdirSync(tmpdir()).filter(name => /^gocore-sink-[0-9a-f]{24}$/.test(name))
    assert.deepEqual(before, [])
    assert.ok(readFileSync(path('b.core')).length > 0)
  })
})
