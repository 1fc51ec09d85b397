/** A machine whose disk is full is one on which things crash. */
import assert from 'node:assert/strict'
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { mountTmpfs } from '../support/tmpfs.ts'
import { runCli } from './run-cli.ts'
import { addCrash, makeArchive } from './sample-archive.ts'

function fill(path: string): void {
  const fd = openSync(path, 'w')
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096))
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
  } finally {
    closeSync(fd)
  }
}

describe('with a full disk below the catalog', {
  skip: process.getuid?.() === 0 ? false : 'needs root',
}, () => {
  for (const [what, isKnown] of [
    ['that the daemon has kept', true],
    ['that is not there yet', false],
  ] as const)
    it(`a crash is listed and shown all the same, by a catalog ${what}`, () => {
      const root = mkdtempSync(join(tmpdir(), 'gocore-full-'))
      const state = join(root, 'state')
      mkdirSync(state)
      try {
        using _disk = mountTmpfs(state, 'size=1m,mode=755')
        const config = makeArchive(root)
        const on = (...args: string[]): ReturnType<typeof runCli> => runCli(['--config', config, ...args])
        if (isKnown) assert.equal(on('ls', '-q').status, 0)
        fill(join(state, 'fill'))
        addCrash(join(root, 'archive'), 'crash2222222')
        const list = on('ls', '-q')
        assert.deepEqual([list.status, list.stderr], [0, ''])
        assert.equal(list.stdout.split('\n')[0], 'crash2222222')
        assert.equal(list.stdout.trim().split('\n').length, 4)
        assert.match(on('search', 'nil', '-n', '1').stdout, /^crash2 /)
        assert.match(on('top').stdout, /^ +3 /m)
        const shown = on('show', '--no-pager')
        assert.deepEqual([shown.status, shown.stderr], [0, ''])
        assert.match(shown.stdout, /nil map/)
      } finally {
        rmSync(root, { recursive: true })
      }
    })
})
