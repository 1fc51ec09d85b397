import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { rangeOf } from '../../src/base/subordinate-ids.ts'

test('rangeOf() tells the first number of a subordinate range, and else the number', () => {
  const directory = mkdtempSync(join(tmpdir(), 'subuid-'))
  const file = join(directory, 'subuid')
  try {
    writeFileSync(file, '# none\nalice:100000:65536\n1001:165536:65536\nbroken:x:1\nlong:99999999999:1\n\n')
    for (const [uid, first] of [
      [1000, 1000],
      [99_999, 99_999],
      [100_000, 100_000],
      [165_535, 100_000],
      [165_536, 165_536],
      [231_071, 165_536],
      [231_072, 231_072],
    ] as const)
      assert.equal(rangeOf(uid, file), first, `${uid}`)
    assert.equal(rangeOf(7, join(directory, 'absent')), 7)
    assert.equal(rangeOf(7, directory), 7)
  } finally {
    rmSync(directory, { recursive: true })
  }
})
