/** `run` by a user who may not read the archive. */
import assert from 'node:assert/strict'
import { chmodSync, mkdirSync } from 'node:fs'
import { test } from 'node:test'
import { alice, attackBed, cliAs } from './bed.ts'

const needsRoot = process.geteuid?.() === 0 ? {} : { skip: 'needs root: another user runs it' }

test('run starts the program whoever may not read the archive, and ends as it did', needsRoot, () => {
  using bed = attackBed()
  mkdirSync(bed.path('archive'))
  chmodSync(bed.path('archive'), 0o700)
  for (const [script, status] of [
    ['echo out; exit 3', 3],
    ['echo out', 0],
  ] as const) {
    // What cliAs() adds behind these is the shell's.
    const run = cliAs(alice, bed, ['run', '--config', bed.config, '--', 'sh', '-c', script])
    assert.deepEqual([run.status, run.stdout], [status, 'out\n'], run.stderr)
    assert.doesNotMatch(run.stderr, /EACCES|permission/)
  }
})
