import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { UsageError } from '../../src/base/errors.ts'
import { parseSignal } from '../../src/cli/signals.ts'
import { parseWhen } from '../../src/cli/when.ts'

const now = Date.parse('2026-11-22T12:00:00Z')
const at = (text: string): string => new Date(parseWhen(text, '--since', now)).toISOString()

describe('parseWhen()', () => {
  const rows: [text: string, iso: string][] = [
    ['90s', '2026-11-22T11:58:30.000Z'],
    ['1h', '2026-11-22T11:00:00.000Z'],
    ['1h30m', '2026-11-22T10:30:00.000Z'],
    ['1h 30min ago', '2026-11-22T10:30:00.000Z'],
    ['3d', '2026-11-19T12:00:00.000Z'],
    ['2w', '2026-11-08T12:00:00.000Z'],
    ['now', '2026-11-22T12:00:00.000Z'],
    ['2026-11-20T03:14:07Z', '2026-11-20T03:14:07.000Z'],
    ['2026-11-20 03:14 UTC', '2026-11-20T03:14:00.000Z'],
    ['2026-11-20 03:14:07+02:00', '2026-11-20T01:14:07.000Z'],
    ['@1795348800', new Date(1795348800e3).toISOString()],
  ]
  for (const [text, iso] of rows) it(text, () => assert.equal(at(text), iso))

  it('takes dates and times of day in local time', () => {
    assert.equal(parseWhen('2026-11-20', '--since', now), new Date(2026, 10, 20).getTime())
    assert.equal(parseWhen('2026-11-20 03:14', '--since', now), new Date(2026, 10, 20, 3, 14).getTime())
    assert.equal(parseWhen('today', '--since', now), new Date(now).setHours(0, 0, 0, 0))
    assert.equal(parseWhen('03:14', '--since', now), new Date(now).setHours(3, 14, 0, 0))
  })
  for (const text of ['', 'soon', '90', '1x', '2026-13-01', '2026-11-22 25:00', '-1h'])
    it(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(() => parseWhen(text, '--since', now), UsageError))
})

describe('parseSignal()', () => {
  it('takes names and numbers', () => {
    for (const text of ['SEGV', 'SIGSEGV', 'segv', '11']) assert.equal(parseSignal(text), 11)
  })
  for (const text of ['', '0', '99', 'NOPE'])
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseSignal(text), UsageError))
})
