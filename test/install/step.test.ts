import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isDone, runSteps, type Step } from '../../src/install/step.ts'

test('a directory that is there already gets its group, too', {
  skip: process.getuid?.() !== 0 ? 'this takes root' : false,
}, () => {
  const folder = mkdtempSync(join(tmpdir(), 'step-'))
  try {
    const at = join(folder, 'state')
    const step = (group?: string): Step => ({
      ...{ kind: 'directory', path: at, at, mode: 0o750 },
      ...(group === undefined ? {} : { group }),
    })
    const run = (group?: string): number => runSteps([step(group)], { dryRun: false, say: () => {} }).changed
    // Made by a handler that came before there was a group.
    assert.equal(run(), 1)
    assert.deepEqual(
      [isDone(step()), isDone(step('daemon')), isDone(step('none-of-ours'))],
      [true, false, false],
    )
    assert.equal(run('daemon'), 1)
    assert.notEqual(statSync(at).gid, 0)
    assert.equal(run('daemon'), 0)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('runSteps() names the step that it could not look at', () => {
  const step: Step = {
    ...{ kind: 'command', argv: ['true'], why: 'a look' },
    needed: () => {
      throw new Error('no such luck')
    },
  }
  assert.throws(
    () => runSteps([step], { dryRun: false, say: () => {} }),
    /^SystemError: Could not do "run true \(a look\)": no such luck$/,
  )
})
