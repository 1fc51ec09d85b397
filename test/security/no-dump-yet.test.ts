/** UserAccess: a user without a dump hears that there is none, and not that they may not look. */
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, statSync } from 'node:fs'
import { test } from 'node:test'
import { loadConfig } from '../../src/config/index.ts'
import { openArchive } from '../../src/daemon/index.ts'
import { alice, attackBed, cliAs, shellAs } from './bed.ts'

const needsRoot = process.geteuid?.() === 0 ? {} : { skip: 'needs root: other users look' }
const modeOf = (path: string): number => statSync(path).mode & 0o777

test(
  'UserAccess: a daemon that starts lets users pass to their lists before any has a dump',
  needsRoot,
  () => {
    using bed = attackBed({ UserAccess: 'yes' })
    // As an installation without UserAccess left it, with dumps of root's.
    mkdirSync(bed.path('archive/dumps/2026/11/29'), { recursive: true })
    for (const path of ['archive', 'archive/dumps']) chmodSync(bed.path(path), 0o700)
    openArchive(loadConfig(bed.config))
    const listed = cliAs(alice, bed, ['ls'])
    assert.deepEqual([listed.status, listed.stdout], [3, ''], listed.stderr)
    assert.doesNotMatch(listed.stderr, /permission|EACCES/)
    assert.deepEqual(
      ['archive', 'archive/users', 'archive/dumps'].map(path => modeOf(bed.path(path))),
      [0o701, 0o701, 0o700],
    )
    assert.notEqual(shellAs(alice, `ls ${bed.path('archive')}`).status, 0)
  },
)

test('without UserAccess the archive stays closed', needsRoot, () => {
  using bed = attackBed()
  openArchive(loadConfig(bed.config))
  assert.equal(modeOf(bed.path('archive')), 0o700)
  assert.equal(existsSync(bed.path('archive/users')), false)
})
