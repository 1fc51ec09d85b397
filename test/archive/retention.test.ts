import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  planRetention,
  type RetentionEntry,
  type RetentionPolicy,
  type RetentionRule,
} from '../../src/archive/retention.ts'

const now = Date.UTC(2026, 10, 22)
const day = 24 * 3600 * 1000
const none: RetentionPolicy = { maxAge: null, maxSize: null, keepFree: null }
const dump = (id: string, daysOld: number, size: number, pinned = false): RetentionEntry => ({
  ...{ id, day: '2026/11/22', time: now - daysOld * day, size, pinned },
})
const plan = (policy: Partial<RetentionPolicy>, usage = { used: 60, free: 40 }): string =>
  planRetention(
    [dump('new', 0, 10), dump('old', 9, 20), dump('kept', 99, 20, true), dump('mid', 5, 10)],
    { ...none, ...policy },
    usage,
    now,
  )
    .map(({ id, rule }) => `${id}:${rule}`)
    .join(' ')

describe('planRetention()', () => {
  const cases: [policy: Partial<RetentionPolicy>, deletions: string][] = [
    [{}, ''],
    [{ maxAge: (6 * day) / 1000 }, 'old:age'],
    [{ maxAge: (5 * day) / 1000 }, 'old:age'],
    [{ maxAge: 0 }, 'old:age mid:age'],
    [{ maxSize: 60 }, ''],
    [{ maxSize: 59 }, 'old:size'],
    [{ maxSize: 35 }, 'old:size mid:size'],
    [{ maxSize: 0 }, 'old:size mid:size new:size'],
    [{ keepFree: 40 }, ''],
    [{ keepFree: 61 }, 'old:keep-free mid:keep-free'],
    [{ maxAge: (6 * day) / 1000, maxSize: 39 }, 'old:age mid:size'],
    [{ maxSize: 50, keepFree: 65 }, 'old:size mid:keep-free'],
  ]
  for (const [policy, deletions] of cases)
    it(`${JSON.stringify(policy)} deletes [${deletions}]`, () => assert.equal(plan(policy), deletions))

  const entries = fc
    .array(fc.record({ age: fc.nat(100), size: fc.nat(1000), pinned: fc.boolean() }), { maxLength: 40 })
    .map(list => list.map(({ age, size, pinned }, index) => dump(`id${index}`, age, size, pinned)))
  const limit = fc.option(fc.nat(20_000))
  const policies = fc.record({
    maxAge: fc.option(fc.nat((100 * day) / 1000)),
    maxSize: limit,
    keepFree: limit,
  })

  it('never deletes a pinned dump; afterwards the limits hold, or only pinned ones are left', () => {
    fc.assert(
      fc.property(entries, policies, fc.nat(5000), (all, policy, free) => {
        const used = all.reduce((sum, { size }) => sum + size, 0)
        const deletions = planRetention(all, policy, { used, free }, now)
        const gone = new Set(deletions.map(({ id }) => id))
        assert.equal(gone.size, deletions.length)
        assert.ok(deletions.every(({ pinned }) => !pinned))
        const left = all.filter(({ id }) => !gone.has(id))
        const freed = deletions.reduce((sum, { size }) => sum + size, 0)
        const loose = left.filter(({ pinned }) => !pinned)
        if (loose.length === 0) return
        if (policy.maxAge !== null) assert.ok(loose.every(({ time }) => now - time <= policy.maxAge! * 1000))
        if (policy.maxSize !== null) assert.ok(used - freed <= policy.maxSize)
        if (policy.keepFree !== null) assert.ok(free + freed >= policy.keepFree)
      }),
    )
  })

  it('deletes none that no rule needs, and no younger one before an older', () => {
    fc.assert(
      fc.property(entries, policies, fc.nat(5000), (all, policy, free) => {
        const used = all.reduce((sum, { size }) => sum + size, 0)
        const deletions = planRetention(all, policy, { used, free }, now)
        const last = deletions.at(-1)
        if (!last) return
        const gone = new Set(deletions.map(({ id }) => id))
        assert.ok(all.every(({ id, time, pinned }) => pinned || gone.has(id) || time >= last.time))
        const before = deletions.slice(0, -1).reduce((sum, { size }) => sum + size, 0)
        const needed: Partial<Record<RetentionRule, boolean>> = {
          age: policy.maxAge !== null && now - last.time > policy.maxAge * 1000,
          size: policy.maxSize !== null && used - before > policy.maxSize,
          'keep-free': policy.keepFree !== null && free + before < policy.keepFree,
        }
        assert.ok(needed[last.rule])
      }),
    )
  })
})
