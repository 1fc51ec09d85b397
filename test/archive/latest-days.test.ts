import assert from 'node:assert/strict'
import { test } from 'node:test'
import { latestDays } from '../../src/archive/index.ts'

const now = Date.parse('2026-11-30T12:00:00Z')
const cases: [what: string, days: string[], latest: string[]][] = [
  ['the newest', ['2026/11/30', '2026/11/29', '2026/11/28'], ['2026/11/30', '2026/11/29']],
  ['tomorrow as one of them', ['2026/12/01', '2026/11/30', '2026/11/29'], ['2026/12/01', '2026/11/30']],
  [
    'later days besides',
    ['2036/01/02', '2026/12/02', '2026/11/30', '2026/11/02', '2026/11/01'],
    ['2036/01/02', '2026/12/02', '2026/11/30', '2026/11/02'],
  ],
  ['none where there is none', [], []],
]
for (const [what, days, latest] of cases)
  test(`latestDays() takes ${what}`, () => assert.deepEqual(latestDays(days, 2, now), latest))
