import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, renameSync, rmdirSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { Catalog, CrashRow } from '../../../src/catalog/index.ts'
import { CrashRoll, type CrashRollOptions } from '../../../src/daemon/monitor/crash-roll.ts'
import { type TestArchive, testArchive } from '../archive.ts'

const now = Date.now()
const host = hostname()

function bed({ directory }: TestArchive, more: Partial<CrashRollOptions> = {}) {
  const problems: string[] = []
  const path = join(directory, 'counted')
  const catalog = { list: () => [] } as unknown as Catalog
  const onProblem = (sentence: string): void => void problems.push(sentence)
  const options = { path, catalog: () => catalog, risk: 'all may come again', onProblem, ...more }
  const lines = (): string[] => readFileSync(path, 'utf8').split('\n').filter(Boolean)
  return { options, path, problems, lines, roll: new CrashRoll(options) }
}

describe('CrashRoll', () => {
  it('keeps its file within bounds, and the latest in it', () => {
    using archive = testArchive()
    const { options, roll, lines } = bed(archive, { most: 10 })
    for (let n = 0; n < 100; n++) {
      roll.add(`crash-${n}`)
      assert.ok(lines().length <= 20)
    }
    assert.equal(lines().at(-1), 'crash-99')
    const next = new CrashRoll(options)
    const row = (id: string): CrashRow => ({ id, host, time: now }) as CrashRow
    assert.deepEqual(
      ['crash-0', 'crash-90', 'crash-99'].map(id => next.lacks(row(id))),
      [true, false, false],
    )
  })

  it('tries once a look to write what it could not, however much has come', () => {
    using archive = testArchive()
    const { path, problems, roll, lines } = bed(archive)
    roll.add('first')
    const before = lines()
    const aside = `${path}.aside`
    renameSync(path, aside)
    mkdirSync(path)
    for (let n = 0; n < 5000; n++) roll.add(`crash-${n}`)
    assert.deepEqual([...roll.missing()], [])
    assert.match(problems.join(), /^Could not write to .*counted, all may come again: .*EISDIR/)
    assert.equal(problems.length, 1)
    rmdirSync(path)
    renameSync(aside, path)
    assert.deepEqual([...roll.missing()], [])
    assert.equal(lines().length, before.length + 5000)
  })

  it('takes all for known, and says so, where its file can’t be read', () => {
    using archive = testArchive()
    mkdirSync(join(archive.directory, 'counted'))
    const row = { id: 'there', host, time: now } as CrashRow
    const catalog = { list: () => [row] } as unknown as Catalog
    const { roll, problems } = bed(archive, { catalog: () => catalog })
    assert.equal(roll.lacks(row), false)
    assert.match(problems[0]!, /^Could not read .*counted, all may come again: .*EISDIR/)
  })
})
