import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'node:test'

const script = join(import.meta.dirname, '../../scripts/fidelity')

test('every goroutine of the slice is as its program printed it', { timeout: 10 * 60_000 }, context => {
  const run = spawnSync(script, ['--ci'], { encoding: 'utf8' })
  const skipped = /^fidelity: skipped, (.*)$/m.exec(run.stdout)
  if (skipped) return context.skip(skipped[1]!)
  assert.equal(run.status, 0, run.stdout + run.stderr)
  const unbuilt = run.stdout.match(/^.*: skipped, could not be built$/gm)
  if (unbuilt) return context.skip(unbuilt.join('; '))
  assert.match(run.stdout, /^all .* goroutines (\d+)\/\1 100 %/m)
})
