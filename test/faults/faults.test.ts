/** The campaign of `scripts/faults` in its short form: a few tries of each fault that needs no machine of its own. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { campaign } from '../../scripts/faults.d/campaign.ts'
import { Tally } from '../../scripts/faults.d/tally.ts'

describe('no dump is lost, listed twice or wrongly called complete', {
  timeout: 15 * 60_000,
  concurrency: 2,
}, () => {
  for (const fault of campaign.filter(({ short }) => short > 0))
    test(fault.name, { skip: fault.unavailable?.() ?? false }, async () => {
      const tally = new Tally()
      await fault.run(fault.short, tally)
      tally.checkHold(fault.mostHeld)
      const { lost, twice, wrong, why } = tally
      assert.deepEqual({ lost, twice, wrong }, { lost: 0, twice: 0, wrong: 0 }, why.join('\n'))
      assert.ok(tally.isGood, why.join('\n'))
    })
})
