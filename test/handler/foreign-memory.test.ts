/** Which memory is of somebody's file system: answers, and how much is looked at for them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { touches } from '../../src/handler/foreign-memory.ts'

test('what lies in, around and beside ranges', () => {
  const ranges = [
    { start: 10, end: 20 },
    { start: 20, end: 30 },
    { start: 50, end: 60 },
  ]
  for (const [start, end, isTouched] of [
    [0, 10, false],
    [0, 11, true],
    [15, 16, true],
    [19, 21, true],
    [29, 50, true],
    [30, 50, false],
    [0, 100, true],
    [59, 60, true],
    [60, 61, false],
  ] as const)
    assert.equal(touches(ranges, start, end), isTouched, `${start} to ${end}`)
  assert.equal(touches([], 0, 1), false)
})

test('of thousands of ranges a few are looked at', () => {
  let looks = 0
  const ranges = Array.from({ length: 16_000 }, (_, i) => ({
    start: i * 8192,
    get end(): number {
      looks++
      return this.start + 4096
    },
  }))
  for (let i = 0; i < 4000; i++) assert.equal(touches(ranges, i * 8192 + 4096, i * 8192 + 8192), false)
  assert.ok(looks < 4000 * 20, `${looks} looks`)
})
