import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { indexCache } from '../../src/cli/debug-index.ts'

const index = Uint8Array.of(1, 2, 3)

function inDirectory(action: (dir: string) => void): void {
  const dir = mkdtempSync(join(tmpdir(), 'gocore-index-'))
  try {
    action(dir)
  } finally {
    rmSync(dir, { recursive: true })
  }
}

test('indexCache() keeps what is of a stored binary beside it, with its rights', () => {
  inDirectory(dir => {
    const binary = join(dir, 'binary')
    writeFileSync(binary, '')
    writeFileSync(join(dir, 'info.json'), '{}')
    chmodSync(binary, 0o640)
    const cache = indexCache(binary, { XDG_CACHE_HOME: join(dir, 'cache') })
    assert.equal(cache.read('a'), undefined)
    cache.write('a', [index])
    assert.deepEqual(cache.read('a'), index)
    assert.equal(cache.read('b'), undefined)
    const [name] = readdirSync(dir).filter(file => file.startsWith('debug-index-'))
    assert.equal(statSync(join(dir, name!)).mode & 0o777, 0o640)
    assert.deepEqual(
      readdirSync(dir).filter(file => file === 'cache'),
      [],
    )
  })
})

test('indexCache() keeps the rest in a cache of the user, and never fails', () => {
  inDirectory(dir => {
    const env = { XDG_CACHE_HOME: dir }
    indexCache('/usr/bin/something', env).write('a', [index])
    assert.deepEqual(indexCache(undefined, env).read('a'), index)
    writeFileSync(join(dir, 'file'), '')
    const nowhere = indexCache(undefined, { XDG_CACHE_HOME: join(dir, 'file') })
    nowhere.write('a', [index])
    assert.equal(nowhere.read('a'), undefined)
  })
})

test('indexCache() keeps the newest only', () => {
  inDirectory(dir => {
    const cache = indexCache(undefined, { XDG_CACHE_HOME: dir })
    for (let n = 0; n < 140; n++) cache.write(`${n}`, [index])
    assert.ok(readdirSync(join(dir, 'gocore-sink/debug-index')).length <= 129)
    assert.deepEqual(cache.read('139'), index)
  })
})

test('indexCache() reads no links, and nothing of a stranger', { skip: process.getuid?.() !== 0 }, () => {
  inDirectory(dir => {
    const cache = indexCache(undefined, { XDG_CACHE_HOME: dir })
    cache.write('a', [index])
    const folder = join(dir, 'gocore-sink/debug-index')
    const path = join(folder, readdirSync(folder)[0]!)
    chownSync(path, 12345, 12345)
    assert.equal(cache.read('a'), undefined)
    rmSync(path)
    mkdirSync(join(dir, 'elsewhere'))
    writeFileSync(join(dir, 'elsewhere/index'), index)
    symlinkSync(join(dir, 'elsewhere/index'), path)
    assert.equal(cache.read('a'), undefined)
  })
})
