/** Handlers that stand by, where there is no process to be had for one. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const nobodyElse = 61_237

test('a crash for which no handler can be started keeps nobody’s place', {
  skip: process.getuid!() !== 0 && 'takes root, to be a user who has no more processes',
}, () => {
  const directory = mkdtempSync(join(tmpdir(), 'gocore-crew-'))
  chownSync(directory, nobodyElse, nobodyElse)
  try {
    const run = spawnSync(process.execPath, [join(import.meta.dirname, 'crew-child.ts'), directory], {
      ...{ uid: nobodyElse, gid: nobodyElse, env: { PATH: process.env.PATH! }, cwd: '/' },
      encoding: 'utf8',
      timeout: 60_000,
    })
    const { done, closed, errors } = JSON.parse(run.stdout || JSON.stringify(run.stderr))
    assert.deepEqual([done, closed], [3, 3], run.stderr)
    assert.match(errors.join('; '), /could not hand it to a handler/)
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
})
