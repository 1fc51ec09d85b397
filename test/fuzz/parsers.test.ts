/** The short form of scripts/fuzz: what earlier searches found worth keeping, a series for each parser, and what it may cost. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { carried, mended } from '../../scripts/fuzz.d/corpus.ts'
import { prepareCrashes } from '../../scripts/fuzz.d/crashes.ts'
import { runTarget } from '../../scripts/fuzz.d/run-target.ts'
import { targets } from '../../scripts/fuzz.d/targets.ts'

before(prepareCrashes)

for (const { name } of targets) {
  // Each input has its limit; this one is for what goes wrong around them, on a busy machine too.
  test(`${name} bears damaged input`, { timeout: 900_000 }, async () => {
    const count = mended(name).length + carried(name).length + 400
    const { ok, output } = await runTarget({ target: name, seed: 1, count, seconds: 2, guided: false })
    assert.ok(ok, output)
  })
}
