/** The short form of scripts/fuzz: a fixed series for each parser, and what it may cost. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runTarget } from '../../scripts/fuzz.d/run-target.ts'
import { targets } from '../../scripts/fuzz.d/targets.ts'

for (const { name } of targets) {
  test(`${name} bears damaged input`, { timeout: 120_000 }, async () => {
    const { ok, output } = await runTarget(name, { seed: '1', first: '0', count: '400', seconds: '5' })
    assert.ok(ok, output)
  })
}
