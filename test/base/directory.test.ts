import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { makePath } from '../../src/base/directory.ts'

describe('makePath()', () => {
  const within = (use: (directory: string) => void): void => {
    const directory = mkdtempSync(join(tmpdir(), 'gocore-directory-'))
    try {
      use(directory)
    } finally {
      rmSync(directory, { recursive: true })
    }
  }

  test('makes what is missing, and leaves alone what is there', () =>
    within(directory => {
      for (let n = 0; n < 2; n++) makePath(join(directory, 'a/b/c'), 0o700)
      assert.equal(statSync(join(directory, 'a/b/c')).mode & 0o777, 0o700)
      symlinkSync('a', join(directory, 'link'))
      makePath(join(directory, 'link/d'), 0o700)
      assert.ok(statSync(join(directory, 'a/d')).isDirectory())
    }))

  test('refuses what lies below a file', () =>
    within(directory => {
      writeFileSync(join(directory, 'file'), '')
      assert.throws(() => makePath(join(directory, 'file'), 0o700), { code: 'EEXIST' })
      assert.throws(() => makePath(join(directory, 'file/a'), 0o700), /EEXIST|ENOTDIR/)
    }))

  test('ends on a file system that makes no directories', {
    skip: process.platform === 'linux' ? false : 'there is no /proc',
  }, () => {
    assert.throws(() => makePath('/proc/nowhere/at/all', 0o700), { code: 'ENOENT' })
  })
})
