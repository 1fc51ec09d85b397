import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { networkFileSystem } from '../../src/base/network-fs.ts'
import { concerns } from '../../src/daemon/watch.ts'

describe('concerns()', () => {
  const now = new Date('2026-12-31T23:30:00Z')
  const cases: [path: string, watched: boolean][] = [
    ['', true],
    ['2026', true],
    ['2027', true],
    ['2025', false],
    ['2026/12', true],
    ['2026/11', false],
    ['2026/12/30', true],
    ['2026/12/31', true],
    ['2027/01/01', true],
    ['2026/12/29', false],
    ['2026/12/3', false],
    ['2026/12/31/7f3k2mabcdef', true],
    ['2026/12/31/7f3k2mabcdef/manifest.json', true],
    ['2026/12/31/7f3k2mabcdef/core.lz4.part', false],
    ['2026/12/31/7f3k2mabcdef/manifest.json/x', false],
    ['2026/12/29/7f3k2mabcdef/manifest.json', false],
    ['../binaries', false],
    ['..', false],
  ]
  for (const [path, watched] of cases)
    it(`${watched ? 'watches' : 'passes by'} ${JSON.stringify(path)} on the last evening of 2026`, () =>
      assert.equal(concerns(path, now), watched))
})

it('networkFileSystem() knows that /proc is none', () => assert.equal(networkFileSystem('/proc'), undefined))
