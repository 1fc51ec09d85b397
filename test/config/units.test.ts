import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { formatDuration, formatSize, parseDuration, parseSize } from '../../src/config/index.ts'

describe('units', () => {
  const durations: [text: string, seconds: number][] = [
    ['90', 90],
    ['90s', 90],
    ['1.5h', 5400],
    ['500ms', 0.5],
    ['2m', 120],
    ['1M', 2629800],
    ['1h 30min', 5400],
    ['1h30m', 5400],
    ['3 days', 259200],
    [' 1w ', 604800],
    ['0', 0],
  ]
  for (const [text, seconds] of durations)
    it(`parseDuration(${JSON.stringify(text)}) is ${seconds}`, () =>
      assert.equal(parseDuration(text), seconds))

  const sizes: [text: string, bytes: number][] = [
    ['0', 0],
    ['4096', 4096],
    ['1K', 1024],
    ['10g', 10 * 2 ** 30],
    ['10 GiB', 10 * 2 ** 30],
    ['10GB', 10 * 2 ** 30],
    ['0.5M', 524288],
    ['7B', 7],
  ]
  for (const [text, bytes] of sizes)
    it(`parseSize(${JSON.stringify(text)}) is ${bytes}`, () => assert.equal(parseSize(text), bytes))

  for (const text of ['', 'x', '1x', '1,5', '--1', '1 2x', 'infinity', '1e99', '9'.repeat(30)]) {
    if (text !== '9'.repeat(30))
      it(`${JSON.stringify(text)} is no duration`, () => assert.throws(() => parseDuration(text)))
    it(`${JSON.stringify(text)} is no size`, () => assert.throws(() => parseSize(text)))
  }

  it('what is formatted reads back the same', () => {
    fc.assert(fc.property(fc.nat({ max: 2 ** 52 }), bytes => parseSize(formatSize(bytes)) === bytes))
    fc.assert(fc.property(fc.nat(), seconds => parseDuration(formatDuration(seconds)) === seconds))
    fc.assert(
      fc.property(
        fc.nat(100_000),
        ms => Math.abs(parseDuration(formatDuration(ms / 1000)) - ms / 1000) < 1e-3,
      ),
    )
  })
})
