import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  type ArchiveUsage,
  expectedGain,
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
const plan = (policy: Partial<RetentionPolicy>, usage: ArchiveUsage = { used: 60, free: 40 }): string =>
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

  it('deletes of a storage that takes nothing the oldest twentieth, where nothing else goes', () => {
    const full = { used: 60, free: 40, isFull: true }
    assert.equal(plan({}, full), 'old:full')
    assert.equal(plan({ maxSize: 59 }, full), 'old:size')
    assert.equal(plan({}, { ...full, binaries: new Map([['nobody’s', 1]]) }), '')
  })

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

describe('planRetention() of dumps that are alike', () => {
  const kind = (signature: string, program: string, ...ages: number[]): RetentionEntry[] =>
    ages.map(age => ({ ...dump(`${signature}${age}`, age, 100), signature, program, shrinkable: true }))
  const steps = (entries: RetentionEntry[], policy: Partial<RetentionPolicy>): string =>
    planRetention(entries, { ...none, ...policy }, { used: 1000, free: 1000 }, now)
      .map(({ action, id, rule }) => `${action === 'shrink' ? '~' : '-'}${id}:${rule}`)
      .join(' ')
  const alike = { keepFirst: 1, keepLatest: 1, shrinkAfter: (2 * day) / 1000 }

  const cases: [what: string, entries: RetentionEntry[], policy: Partial<RetentionPolicy>, steps: string][] =
    [
      ['shrinks what is between', kind('a', 'p', 5, 4, 3, 1, 0), alike, '~a4:alike ~a3:alike'],
      [
        'of each signature by itself',
        [...kind('a', 'p', 5, 4), ...kind('b', 'p', 9, 8, 7)],
        alike,
        '~b8:alike',
      ],
      [
        'keeps none for 0',
        kind('a', 'p', 5, 4),
        { ...alike, keepFirst: 0, keepLatest: 0 },
        '~a5:alike ~a4:alike',
      ],
      ['never where ShrinkAfter is infinity', kind('a', 'p', 5, 4, 3), { ...alike, shrinkAfter: null }, ''],
      [
        'counts what age leaves',
        kind('a', 'p', 9, 5, 4, 3),
        { ...alike, maxAge: (8 * day) / 1000 },
        '-a9:age ~a4:alike',
      ],
      [
        'shrinks the young where room is needed, then the kept, and deletes at last',
        kind('a', 'p', 3, 1.5, 1, 0.5),
        { ...alike, maxSize: 630 },
        '~a1.5:size ~a1:size ~a0.5:size -a3:size',
      ],
      [
        'makes no more room than is needed',
        kind('a', 'p', 3, 1.5, 1, 0.5),
        { ...alike, maxSize: 900 },
        '~a1.5:size ~a1:size',
      ],
      [
        'deletes the oldest beyond the count of a program',
        [...kind('a', 'p', 5, 1), ...kind('b', 'q', 4, 3, 2)],
        { programMaxCount: 2 },
        '-b4:program-count',
      ],
      [
        'keeps the bytes of each program',
        [...kind('a', 'p', 5, 1), ...kind('b', 'q', 4, 3, 2)],
        { ...alike, shrinkAfter: (20 * day) / 1000, programMaxSize: 150 },
        '~a5:program-size ~b3:program-size ~b4:program-size',
      ],
    ]
  for (const [what, entries, policy, expected] of cases)
    it(what, () => assert.equal(steps(entries, policy), expected))

  const entry = fc.record({
    ...{ age: fc.nat(100), size: fc.nat(1000), pinned: fc.boolean(), shrinkable: fc.boolean() },
    ...{ signature: fc.constantFrom('a', 'b', 'c'), program: fc.constantFrom('p', 'q') },
  })
  const entries = fc
    .array(entry, { maxLength: 40 })
    .map(list => list.map(({ age, size, ...rest }, i) => ({ ...dump(`id${i}`, age, size), ...rest })))
  const option = fc.option(fc.nat(20_000))
  const policies = fc.record({
    ...{ maxAge: fc.option(fc.nat((100 * day) / 1000)), maxSize: option, keepFree: option },
    ...{ keepFirst: fc.nat(4), keepLatest: fc.nat(4), shrinkAfter: fc.option(fc.nat((100 * day) / 1000)) },
    ...{ programMaxSize: option, programMaxCount: fc.option(fc.nat(20)) },
  })

  it('keeps every limit, or only pinned ones are left; touches no pinned one, and none twice', () => {
    fc.assert(
      fc.property(entries, policies, fc.nat(5000), (all, policy, free) => {
        const used = all.reduce((sum, { size }) => sum + size, 0)
        const plan = planRetention(all, policy, { used, free }, now)
        assert.equal(new Set(plan.map(({ id }) => id)).size, plan.length)
        assert.ok(plan.every(({ pinned }) => !pinned))
        const sizes = new Map(all.map(({ id, size }) => [id, size]))
        for (const { id, action, size, shrinkable } of plan) {
          assert.ok(action === 'delete' || shrinkable)
          if (action === 'shrink') sizes.set(id, size - expectedGain(size))
          else sizes.delete(id)
        }
        const left = all.filter(({ id }) => sizes.has(id))
        const taken = (of: readonly RetentionEntry[]): number =>
          of.reduce((sum, { id }) => sum + sizes.get(id)!, 0)
        for (const program of ['p', 'q']) {
          const own = left.filter(other => other.program === program)
          if (own.every(({ pinned }) => pinned)) continue
          assert.ok(policy.programMaxCount === null || own.length <= policy.programMaxCount)
          assert.ok(policy.programMaxSize === null || taken(own) <= policy.programMaxSize)
        }
        if (left.every(({ pinned }) => pinned)) return
        if (policy.maxSize !== null) assert.ok(taken(left) <= policy.maxSize)
        if (policy.keepFree !== null) assert.ok(free + used - taken(left) >= policy.keepFree)
      }),
    )
  })
})
